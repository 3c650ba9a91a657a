import { randomBytes } from "node:crypto";
import type { Random } from "../../ports/random.ts";

export const systemRandom: Random = (byteCount) => new Uint8Array(randomBytes(byteCount));
