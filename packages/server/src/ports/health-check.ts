export interface Finding {
  readonly isOk: boolean;
  /** For the operator: a word or two, no path, nothing of a person. */
  readonly detail: string;
}

/** One thing without which a server should get no new clients. */
export interface HealthCheck {
  readonly name: string;
  /** Looks now. It may take as long as what it looks at; whoever asks stops waiting. */
  look(): Finding | Promise<Finding>;
}
