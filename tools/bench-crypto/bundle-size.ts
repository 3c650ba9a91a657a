import { gzipSync } from "node:zlib";
import { type BundleFile, bundleOf } from "../../packages/crypto/test/fixtures/chromium.ts";

/** Files, backups and groups: nothing of them is needed until the first one is there. */
const ON_DEMAND =
  /packages\/crypto\/src\/((attachments|backup|stream|group)\/|(chain|commit)\/([a-z-]*group|invite))/;

export interface BundleSize {
  /** The crypto package and noble, without what is loaded on demand. */
  readonly gzipKiB: number;
  /** What a client loads with the first file, backup or group, or where a browser lacks a primitive. */
  readonly onDemandKiB: number;
  /** With the schema and the codec of protobuf, which a client has anyway. */
  readonly withProtocolKiB: number;
}

/** All that the crypto package exports, with its start in a browser, minified. */
export async function bundleSize(): Promise<BundleSize> {
  const entry = new URL("bundle-entry.ts", import.meta.url);
  const external = [/^@bufbuild\/protobuf/, /^@parley\/protocol/];
  const own = await bundleOf(entry, { external, apart: ON_DEMAND });
  return {
    gzipKiB: gzipKiB(own, false),
    onDemandKiB: gzipKiB(own, true),
    withProtocolKiB: gzipKiB(await bundleOf(entry, { apart: ON_DEMAND }), false),
  };
}

function gzipKiB(files: readonly BundleFile[], isOnDemand: boolean): number {
  const counted = files.filter((file) => file.isOnDemand === isOnDemand);
  return counted.reduce((sum, { code }) => sum + gzipSync(code, { level: 9 }).length, 0) / 1024;
}
