import { type Operation, runAsync, runSync } from "../operation.ts";
import { nobleProvider } from "../primitives/noble-provider.ts";
import { webProvider } from "./web.ts";

export interface StartedCrypto {
  /** Whose primitives are used: node:crypto, WebCrypto, or JavaScript alone. */
  readonly kind: "node" | "web" | "noble";
  run<T>(operation: Operation<T>): T | Promise<T>;
}

/**
 * Chooses by what is there: node:crypto, which is synchronous and has the symmetric steps too; WebCrypto in
 * secure contexts, workers included; else JavaScript. Each native primitive has to know its answers first
 * (self-test.ts).
 */
export async function startCrypto(scope: Scope = globalThis): Promise<StartedCrypto> {
  if (scope.process?.versions?.["node"] !== undefined) {
    const { startNodeCrypto } = await import("./start-node.ts");
    return startNodeCrypto();
  }
  return startWebCrypto(scope);
}

/** As `startCrypto`, for a bundle that never runs on Node. */
export function startWebCrypto({ crypto }: Scope = globalThis): StartedCrypto {
  const subtle = crypto?.subtle;
  if (subtle === undefined)
    return { kind: "noble", run: (operation) => runSync(nobleProvider, operation) };
  const provider = webProvider(subtle);
  return { kind: "web", run: (operation) => runAsync(provider, operation) };
}

/** What is looked for in the global object. */
export interface Scope {
  readonly process?: { readonly versions?: Readonly<Record<string, string | undefined>> };
  readonly crypto?: { readonly subtle?: SubtleCrypto };
}
