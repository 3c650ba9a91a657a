/** For bash and zsh: in single quotes everything is itself. */
export const shellQuoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;
