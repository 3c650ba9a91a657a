import { startNodeCrypto } from "@parley/crypto/platform/start-node";
import type { CryptoRunner } from "../../ports/crypto-runner.ts";

/** Public-key steps by OpenSSL, at once; the symmetric ones, which stand inside operations, too. */
export const nodeCrypto: CryptoRunner = startNodeCrypto();
