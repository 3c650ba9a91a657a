import fs from "node:fs";
import { fromHex, toHex } from "@parley/protocol";
import { expect, test } from "vitest";
import { deriveDeviceKeys, runSync, signAsIdentity, verifyAsIdentity } from "../src/index.ts";
import { nobleProvider } from "../src/primitives/noble-provider.ts";
import { seededRandom } from "./fixtures/random.ts";
import { DECODERS } from "./fuzz/decoders.ts";

// A slice of Node's Buffer is a view, not a copy: who takes it for one writes into what the caller still holds.

const corpus: Record<string, string[]> = JSON.parse(
  fs.readFileSync(new URL("fuzz/corpus.json", import.meta.url), "utf8"),
);

test.each(Object.entries(DECODERS))(
  "leaves a caller's bytes as they are: %s",
  async (name, decode) => {
    for (const seed of corpus[name] ?? []) {
      const given = Buffer.from(fromHex(seed));
      try {
        await decode(given);
      } catch {
        // Whether it can be read is the fuzzing's matter.
      }
      expect(toHex(given)).toBe(seed);
    }
  },
);

test("a signature of an identity holds as often as it is looked at", () => {
  const random = seededRandom("caller's bytes");
  const run = <T>(operation: Parameters<typeof runSync<T>>[1]) => runSync(nobleProvider, operation);
  let signBits = 0;
  for (let round = 0; round < 8; round++) {
    const keys = run(deriveDeviceKeys(random(32)));
    const message = random(40);
    const signature = Buffer.from(run(signAsIdentity(keys, message)));
    const identity = Buffer.from(keys.identity);
    signBits += (signature[63] as number) >>> 7;
    for (let time = 0; time < 2; time++)
      expect(run(verifyAsIdentity({ identity, message, signature }))).toBe(true);
  }
  expect(signBits).toBeGreaterThan(0);
});
