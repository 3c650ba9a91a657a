import { gzipSync } from "node:zlib";
import { bundleOf } from "../../packages/crypto/test/fixtures/chromium.ts";

/** All that the crypto package exports, with its start in a browser, minified and gzipped. */
export async function bundleGzipKiB(): Promise<number> {
  const code = await bundleOf(new URL("bundle-entry.ts", import.meta.url));
  return gzipSync(code, { level: 9 }).length / 1024;
}
