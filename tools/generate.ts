/** Everything that is generated and committed: types from the schemas, and docs/PROTOCOL.md. */
import fs from "node:fs";
import path from "node:path";
import { protocolDocs } from "./protocol-docs/protocol-docs.ts";
import { ROOT, run } from "./run.ts";

const SCHEMAS = ["packages/protocol", "packages/client"];

export const GENERATED = [...SCHEMAS.map((at) => `${at}/src/gen`), "docs/PROTOCOL.md"];

export async function generate(): Promise<boolean> {
  for (const schema of SCHEMAS)
    if ((await run("buf", ["generate"], path.join(ROOT, schema))) !== 0) return false;
  fs.writeFileSync(path.join(ROOT, "docs/PROTOCOL.md"), protocolDocs());
  return true;
}

if (import.meta.main && !(await generate())) process.exitCode = 1;
