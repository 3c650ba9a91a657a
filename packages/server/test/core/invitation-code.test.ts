import { expect, test } from "vitest";
import { systemRandom } from "../../src/adapters/embedded/system-random.ts";
import { invitationHash, newInvitationCode } from "../../src/core/invitation-code.ts";

test("makes codes of four groups that hold ten random bytes", () => {
  const counting = (count: number) => Uint8Array.from({ length: count }, (_, i) => i);
  expect(newInvitationCode(counting)).toBe("000G-40R4-0M30-E209");
  expect(newInvitationCode((count) => new Uint8Array(count).fill(255))).toBe("ZZZZ-ZZZZ-ZZZZ-ZZZZ");
  expect(newInvitationCode((count) => new Uint8Array(count))).toBe("0000-0000-0000-0000");
  const codes = Array.from({ length: 100 }, () => newInvitationCode(systemRandom));
  expect(new Set(codes).size).toBe(100);
  for (const code of codes) expect(invitationHash(code)).toHaveLength(32);
});

test("reads a code as people type it", () => {
  const hash = invitationHash("1010-ABCD-EFGH-JKMN");
  for (const typed of [
    "1010ABCDEFGHJKMN",
    " 1010 abcd efgh jkmn\n",
    "lolo-abcd-efgh-jkmn",
    "IOIO-ABCD-EFGH-JKMN",
  ])
    expect(invitationHash(typed)).toEqual(hash);
  expect(invitationHash("1010-ABCD-EFGH-JKMP")).not.toEqual(hash);
});

test("knows what is no code", () => {
  for (const typed of [
    "",
    "1010-ABCD-EFGH-JKM",
    "1010-ABCD-EFGH-JKMNP",
    "1010-ABCD-EFGH-JKMU",
    "é",
  ])
    expect(invitationHash(typed)).toBeUndefined();
});
