import { startWebCrypto } from "../../packages/crypto/src/platform/start-web.ts";
import { wallClock } from "./measure.ts";
import { ourSide } from "./side.ts";

/** Our side in Chromium, with what the browser has. */
export const jobs = { measure: ourSide(startWebCrypto().run, wallClock) };
