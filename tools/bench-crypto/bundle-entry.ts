export * from "../../packages/crypto/src/index.ts";
export * from "../../packages/crypto/src/platform/start-web.ts";
