import fs from "node:fs";
import { folderOf, freePort, type Running, start, userNamed } from "./running.ts";

/** Seconds; the least it takes. It has no setting for a save before each acknowledgement. */
const AUTOSAVE_SECONDS = 1;
/** As many as our client has under way (packages/client/src/connection/login.ts). */
const IN_FLIGHT_MAX = 512;

/** Mosquitto that keeps what it has for sessions which are away, and saves all of it every second. */
export async function startMosquitto(folder: string): Promise<Running> {
  const user = userNamed("mosquitto");
  const home = folderOf(user, `${folder}/mosquitto`);
  const port = await freePort();
  const config = `${home}/mosquitto.conf`;
  fs.writeFileSync(
    config,
    [
      `listener ${port} 127.0.0.1`,
      "allow_anonymous true",
      "persistence true",
      `persistence_location ${home}/`,
      `autosave_interval ${AUTOSAVE_SECONDS}`,
      `max_inflight_messages ${IN_FLIGHT_MAX}`,
      "max_queued_messages 0",
      "set_tcp_nodelay true",
      "log_dest stdout",
      "log_type error",
      "log_type warning",
      ...(user.uid === undefined ? [] : ["user mosquitto"]),
      "",
    ].join("\n"),
  );
  const pid = await start(["mosquitto", "-c", config], { user, folder: home, port });
  return { name: "mosquitto", port, pids: [pid], dataFolders: [home] };
}
