const URL_START = /^(https?):\/\/([^/?#@]+)(?=[/?#]|$)/i;
const DEFAULT_PORT: { readonly [scheme: string]: string } = { http: ":80", https: ":443" };

/**
 * The origin of a server's URL (RFC 6454 section 6.2), to which logins are bound. Written out, because the
 * core of the client has no URL. Throws RangeError where it is not an http or https URL.
 */
export function originOf(serverUrl: string): string {
  const [, scheme, host] = URL_START.exec(serverUrl) ?? [];
  if (scheme === undefined || host === undefined)
    throw new RangeError("a server's URL begins with http:// or https://");
  const protocol = scheme.toLowerCase();
  const authority = host.toLowerCase();
  const port = DEFAULT_PORT[protocol] as string;
  return `${protocol}://${authority.endsWith(port) ? authority.slice(0, -port.length) : authority}`;
}

/** The same machine, on whatever port it listens today. */
export function isSameHost(origin: string, other: string): boolean {
  return origin.replace(PORT, "") === other.replace(PORT, "");
}

const PORT = /:\d+$/;
