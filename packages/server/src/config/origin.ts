/** The name of a server as a login is bound to it: scheme, host and port, nothing behind. */
export function isOrigin(text: string): boolean {
  const parsed = URL.canParse(text) ? new URL(text) : undefined;
  return parsed?.origin === text && /^https?:$/.test(parsed.protocol);
}
