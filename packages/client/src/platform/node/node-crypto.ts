import { runSync } from "@parley/crypto";
import { nodeProvider } from "@parley/crypto/platform/node";
import type { CryptoRunner } from "../../ports/crypto-runner.ts";

const provider = nodeProvider();

/** Public-key steps by OpenSSL, at once. */
export const nodeCrypto: CryptoRunner = {
  run: (operation) => runSync(provider, operation),
};
