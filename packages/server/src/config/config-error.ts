/** Something that was said to the server and cannot be used. */
export interface Problem {
  /** The flag, the variable, or the file and its line. */
  readonly where: string;
  readonly says: string;
  /** What was typed at the command: wrong usage, where everything else is a wrong configuration. */
  readonly isUsage: boolean;
}

/** All that is wrong, at once: nobody wants to hear of it one start at a time. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
  readonly problems: readonly Problem[];

  constructor(problems: readonly Problem[]) {
    super(problems.map(({ where, says }) => `${where}: ${says}`).join("\n"));
    this.problems = problems;
  }

  get isUsage(): boolean {
    return this.problems.some(({ isUsage }) => isUsage);
  }
}
