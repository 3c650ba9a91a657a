import { expect, test } from "vitest";
import {
  CloseCode,
  closesConnection,
  ErrorCode,
  isRetryable,
  negotiateVersion,
  ProtocolError,
  reconnectAfter,
} from "../src/index.ts";

test("every error says by its range whether to ask again, and only then names a time", () => {
  for (const code of Object.values(ErrorCode)) {
    const error = new ProtocolError(code, "");
    expect(error.retryAfterMs !== undefined).toBe(isRetryable(code));
    expect(isRetryable(code) && closesConnection(code)).toBe(false);
  }
  expect(isRetryable(ErrorCode.STORAGE_UNAVAILABLE)).toBe(true);
  expect(isRetryable(ErrorCode.INVALID_REQUEST)).toBe(false);
  expect(closesConnection(ErrorCode.MALFORMED_FRAME)).toBe(true);
});

test("what the edge does not know becomes INTERNAL and says nothing more", () => {
  const error = ProtocolError.from(new Error("secret of the store"));
  expect(error.code).toBe(ErrorCode.INTERNAL);
  expect(error.message).not.toContain("secret");
});

test("close codes say whether to come back, also those that this version does not know", () => {
  expect(reconnectAfter(CloseCode.REPLACED)).toBe("never");
  expect(reconnectAfter(CloseCode.SLOW_READER)).toBe("with-back-off");
  expect(reconnectAfter(CloseCode.RESUME)).toBe("at-once");
  expect(reconnectAfter(1006)).toBe("with-back-off");
  expect(reconnectAfter(4299)).toBe("never");
  expect(reconnectAfter(4300)).toBe("with-back-off");
});

test("two sides speak the highest version that both have", () => {
  expect(negotiateVersion({ min: 1, max: 3 }, { min: 2, max: 5 })).toBe(3);
  expect(negotiateVersion({ min: 1, max: 1 }, { min: 2, max: 5 })).toBeUndefined();
});
