import { equalBytes } from "@parley/protocol";
import { runAsync, runSync } from "../../src/index.ts";
import { knownAnswers } from "../../src/platform/self-test.ts";
import { startWebCrypto } from "../../src/platform/start-web.ts";
import { bareWebProvider } from "../../src/platform/web.ts";
import { nobleProvider } from "../../src/primitives/noble-provider.ts";
import { EVERY_CALL } from "../fixtures/every-call.ts";
import { checkVectors, type Run, type VectorFile, type VectorName } from "../wycheproof/checks.ts";

/** What the tests in Chromium have done there. */
export const jobs = {
  /** Wycheproof's vectors, by WebCrypto without a net, or in JavaScript. */
  checkVectors: ({ name, file, by }: { name: VectorName; file: VectorFile; by: "web" | "noble" }) =>
    checkVectors(name, file, by === "web" ? runByWeb : runByNoble),

  kindOfStart: () => startWebCrypto().kind,

  /** The calls of which WebCrypto does not know the answers. */
  async unknownAnswers(): Promise<string[]> {
    const unknown: string[] = [];
    for (const like of EVERY_CALL)
      for (const { call, answer } of knownAnswers(like)) {
        const name = `${call.primitive} ${"parameters" in call ? call.parameters : ""}`;
        try {
          if (!equalBytes(await bareWeb().answer(call), answer))
            unknown.push(`${name}: other bytes`);
        } catch (cause) {
          unknown.push(`${name}: ${cause}`);
        }
      }
    return unknown;
  },
};

const bareWeb = () => bareWebProvider(globalThis.crypto.subtle);
const runByWeb: Run = (operation) => runAsync(bareWeb(), operation);
const runByNoble: Run = (operation) => runSync(nobleProvider, operation);
