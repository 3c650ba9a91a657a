import { spawnSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import type { NetworkKind } from "../networks/network.ts";
import type { Target } from "./target.ts";

const SERVICES = fileURLToPath(new URL("../../../../tools/services/services.ts", import.meta.url));

export type PeerName = "ejabberd" | "mosquitto";

const NETWORKS: Readonly<Record<PeerName, NetworkKind>> = { ejabberd: "xmpp", mosquitto: "mqtt" };

/** One of the servers that people would pick instead, brought up and taken down by `npm run services`. */
export function startPeer(name: PeerName): Target {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "parley-peer-"));
  const down = () => void services(["down", "--folder", folder]);
  // Whatever ends this program ends the peer.
  process.once("exit", down);
  const output = services(["up", name, "--folder", folder]);
  const { port, pids, dataFolders } = JSON.parse(output.trimEnd().split("\n").at(-1) as string);
  return {
    network: NETWORKS[name],
    port,
    pids,
    dataFolders,
    stop: async () => {
      process.removeListener("exit", down);
      down();
    },
  };
}

function services(args: readonly string[]): string {
  const { stdout, status } = spawnSync(process.execPath, [SERVICES, ...args], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "inherit"],
  });
  if (status !== 0) throw new Error(`services ${args.join(" ")} ended with ${status}`);
  return stdout;
}
