import type { Operation } from "../operation.ts";
import { startWebCrypto, type WebScope } from "./start-web.ts";

export interface StartedCrypto {
  /** Whose primitives are used: node:crypto's, WebCrypto's, or those in JavaScript. */
  readonly kind: "node" | "web" | "noble";
  run<T>(operation: Operation<T>): T | Promise<T>;
}

/**
 * Chooses by what is there: node:crypto, which is synchronous and has the symmetric steps too; WebCrypto; else
 * JavaScript. Each native primitive has to know its answers first (self-test.ts).
 */
export async function startCrypto(scope: Scope = globalThis): Promise<StartedCrypto> {
  if (scope.process?.versions?.["node"] === undefined) return startWebCrypto(scope);
  const { startNodeCrypto } = await import("./start-node.ts");
  return startNodeCrypto();
}

/** What is looked for in the global object. */
export interface Scope extends WebScope {
  readonly process?: { readonly versions?: Readonly<Record<string, string | undefined>> };
}
