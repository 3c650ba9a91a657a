export * from "./memory-client-store.ts";
