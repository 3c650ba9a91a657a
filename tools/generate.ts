/** Everything that is generated and committed: types from the schemas, docs/PROTOCOL.md with its vectors, docs/CONFIGURATION.md. */
import fs from "node:fs";
import path from "node:path";
import { protocolDocs } from "./protocol-docs/protocol-docs.ts";
import { protocolVectors } from "./protocol-docs/vectors/protocol-vectors.ts";
import { outputOf, ROOT, run } from "./run.ts";

const SCHEMAS = ["packages/protocol", "packages/client"];

const SERVER_MAIN = "packages/server/src/main.ts";

export const GENERATED = [
  ...SCHEMAS.map((at) => `${at}/src/gen`),
  "docs/PROTOCOL.md",
  "docs/protocol-vectors.json",
  "docs/CONFIGURATION.md",
];

export async function generate(): Promise<boolean> {
  for (const schema of SCHEMAS)
    if ((await run("buf", ["generate"], path.join(ROOT, schema))) !== 0) return false;
  fs.writeFileSync(path.join(ROOT, "docs/PROTOCOL.md"), protocolDocs());
  fs.writeFileSync(path.join(ROOT, "docs/protocol-vectors.json"), protocolVectors());
  const configuration = outputOf("node", [SERVER_MAIN, "config", "docs"]);
  if (configuration === "") return false;
  fs.writeFileSync(path.join(ROOT, "docs/CONFIGURATION.md"), configuration);
  return true;
}

if (import.meta.main && !(await generate())) process.exitCode = 1;
