import fs from "node:fs";
import { afterEach, describe, expect, test } from "vitest";
import { runAsync, runSync } from "../../src/index.ts";
import { bareNodeProvider } from "../../src/platform/node.ts";
import { nodeSymmetric } from "../../src/platform/node-symmetric.ts";
import { bareWebProvider } from "../../src/platform/web.ts";
import { nobleProvider } from "../../src/primitives/noble-provider.ts";
import { installSymmetric, nobleSymmetric } from "../../src/primitives/symmetric.ts";
import { checkVectors, type Run, VECTOR_NAMES, type VectorName } from "./checks.ts";
import { TALLIES } from "./tallies.ts";

const node = bareNodeProvider();
const web = bareWebProvider(crypto.subtle);
const runs: readonly (readonly [string, Run, typeof nobleSymmetric])[] = [
  ["JavaScript", (operation) => runSync(nobleProvider, operation), nobleSymmetric],
  ["node:crypto", (operation) => runSync(node, operation), nodeSymmetric],
  ["WebCrypto (Node's)", (operation) => runAsync(web, operation), nobleSymmetric],
];

afterEach(() => installSymmetric(nobleSymmetric));

describe.each(runs)("%s agrees with the vectors of Wycheproof", (_, run, symmetric) => {
  test.each(VECTOR_NAMES)("%s", async (name) => {
    installSymmetric(symmetric);
    expect(await checkVectors(name, vectorsOf(name), run)).toEqual(TALLIES[name]);
  });
});

function vectorsOf(name: VectorName) {
  const url = new URL(`../vectors/wycheproof/${name}_test.json`, import.meta.url);
  return JSON.parse(fs.readFileSync(url, "utf8"));
}
