export type { StoreKey } from "./data-key.ts";
export { makeFolder } from "./make-folder.ts";
export { NodeClientStore } from "./node-client-store.ts";
export { nodeCrypto } from "./node-crypto.ts";
export { nodeSocket, socketUrl } from "./node-socket.ts";
export { type NodeStoreOptions, openNodeStore } from "./open-node-store.ts";
export { StoreDamagedError, StoreInUseError, WrongKeyError } from "./store-errors.ts";
export { systemClock, systemRandom } from "./system.ts";
