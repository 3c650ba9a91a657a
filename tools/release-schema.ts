/**
 * `npm run release-schema`, at each release: keeps the schema as it went out, in
 * packages/protocol/released.binpb. From then on `npm run check` and a test hold every change against it. Refuses
 * a schema that breaks the clients of the release before.
 */
import path from "node:path";
import { ROOT, run } from "./run.ts";

const PROTOCOL = path.join(ROOT, "packages/protocol");
const IMAGE = "released.binpb";

/** Exit code 0: whoever speaks the last release's schema understands this one, and is understood. */
export function breaksRelease(): Promise<number> {
  return run("buf", ["breaking", "--against", IMAGE], PROTOCOL);
}

if (import.meta.main) {
  const build = ["build", "--exclude-source-info", "--as-file-descriptor-set", "-o", IMAGE];
  process.exitCode = (await breaksRelease()) || (await run("buf", build, PROTOCOL));
}
