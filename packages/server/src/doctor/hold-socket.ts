import { randomBytes } from "node:crypto";
import { encodeClientFrame } from "@parley/protocol";
import { SOCKET_PATH } from "../gateway/handshake.ts";

/** As long as the schema lets a step be waited for. */
const STEP_MS_MAX = 60_000;

/**
 * Keeps a connection open, without an account: it waits for a step of linking that never comes, as a new device
 * does. Resolves with how long it lasted; `isCut` where it ended before its time.
 */
export function holdSocket(
  origin: string,
  holdMs: number,
): Promise<{ readonly heldMs: number; readonly isCut: boolean }> {
  const begun = performance.now();
  const socket = new WebSocket(`${origin.replace(/^http/, "ws")}${SOCKET_PATH}`);
  const address = randomBytes(16);
  let requestId = 0;
  const wait = () => {
    const waitMs = Math.min(STEP_MS_MAX, Math.ceil(holdMs));
    const value = { address, step: 1, waitMs };
    const request = { case: "takeLinkStep", value } as const;
    socket.send(encodeClientFrame({ requestId: ++requestId, request }));
  };
  return new Promise((resolve) => {
    let isOver = false;
    const end = (isCut: boolean) => {
      if (isOver) return;
      isOver = true;
      clearTimeout(timer);
      socket.close();
      resolve({ heldMs: performance.now() - begun, isCut });
    };
    const timer = setTimeout(() => end(false), holdMs);
    // First its challenge, then that nothing came: what is waited for is asked for anew.
    socket.addEventListener("message", wait);
    socket.addEventListener("error", () => end(true));
    socket.addEventListener("close", () => end(true));
  });
}
