import { hostname } from "node:os";

/** Its first label: a domain says nothing more of the machine, and a label fits a device's name (RFC 1035: 63 bytes). */
export function hostName(): string {
  return hostname().split(".")[0] ?? "";
}
