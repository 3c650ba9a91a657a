import { expect, test } from "vitest";
import { networkOf, visitorKey } from "../../src/core/visitor-key.ts";

test("takes all addresses of one IPv6 network for one visitor", () => {
  const same = [
    "2001:db8:0:1::5",
    "2001:DB8::1:ffff:0:0:1",
    "2001:0db8:0:1:a:b:c:d",
    "2001:db8:0:1::",
  ];
  expect(new Set(same.map(networkOf))).toEqual(new Set(["2001:db8:0:1"]));
  expect(networkOf("2001:db8:0:2::5")).toBe("2001:db8:0:2");
  expect(networkOf("::1")).toBe("0:0:0:0");
  expect(networkOf("fe80::1%eth0")).toBe("fe80:0:0:0");
});

test("takes each IPv4 address for one, however it is written", () => {
  expect(networkOf("192.0.2.1")).toBe("192.0.2.1");
  expect(networkOf("::ffff:192.0.2.1")).toBe("192.0.2.1");
  expect(networkOf("192.0.2.2")).not.toBe(networkOf("192.0.2.1"));
});

test("names a visitor only as long as the salt lives", () => {
  const salt = Uint8Array.of(1);
  expect(visitorKey(salt, "192.0.2.1")).toBe(visitorKey(salt, "::ffff:192.0.2.1"));
  expect(visitorKey(Uint8Array.of(2), "192.0.2.1")).not.toBe(visitorKey(salt, "192.0.2.1"));
  expect(visitorKey(salt, "192.0.2.1")).not.toContain("192");
});
