import { expect, test } from "vitest";
import { isNetwork } from "../../src/config/network.ts";
import { TrustedProxies } from "../../src/gateway/trusted-proxies.ts";

const proxies = new TrustedProxies(["10.0.0.0/8", "2001:db8::/32", "127.0.0.1"]);
const forwarded = (line: string | undefined) =>
  line === undefined ? {} : { "x-forwarded-for": line };

test.each([
  ["203.0.113.9", "198.51.100.1", "203.0.113.9"],
  ["127.0.0.1", undefined, "127.0.0.1"],
  ["127.0.0.1", "198.51.100.1", "198.51.100.1"],
  ["::ffff:127.0.0.1", "198.51.100.1", "198.51.100.1"],
  ["10.1.2.3", "1.1.1.1, 198.51.100.1, 10.9.9.9", "198.51.100.1"],
  ["2001:db8::7", "2001:db9::1", "2001:db9::1"],
  ["127.0.0.1", "not an address", "127.0.0.1"],
  ["127.0.0.1", "198.51.100.1, not an address", "127.0.0.1"],
  ["127.0.0.1", "10.0.0.1, 10.0.0.2", "10.0.0.1"],
  ["127.0.0.1", "", "127.0.0.1"],
])("a socket from %s that says %s is counted as %s", (peer, line, client) => {
  expect(proxies.clientOf(peer, forwarded(line))).toBe(client);
});

test("a setting takes addresses and networks, and nothing else", () => {
  for (const right of ["10.0.0.1", "10.0.0.0/8", "::1", "2001:db8::/32", "0.0.0.0/0"])
    expect([right, isNetwork(right)]).toEqual([right, true]);
  for (const wrong of ["", "proxy", "10.0.0.0/33", "::/129", "10.0.0.0/", "10.0.0.0/8/8", "10.0/8"])
    expect([wrong, isNetwork(wrong)]).toEqual([wrong, false]);
});
