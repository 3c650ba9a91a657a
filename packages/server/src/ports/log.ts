/**
 * Lines for the operator. No content, handles, keys or tokens; account ids only as `lib/log-id.ts` makes
 * them. Level error means a bug or a broken machine.
 */
export interface Log {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}
