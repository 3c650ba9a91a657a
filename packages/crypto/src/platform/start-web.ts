import { type Operation, runAsync, runSync } from "../operation.ts";
import { nobleProvider } from "../primitives/noble-provider.ts";
import { webProvider } from "./web.ts";

export interface WebCrypto {
  readonly kind: "web" | "noble";
  run<T>(operation: Operation<T>): T | Promise<T>;
}

/** WebCrypto where there is one: in secure contexts only, their workers included. Else JavaScript. */
export function startWebCrypto({ crypto }: WebScope = globalThis): WebCrypto {
  const subtle = crypto?.subtle;
  if (subtle === undefined)
    return { kind: "noble", run: (operation) => runSync(nobleProvider, operation) };
  const provider = webProvider(subtle);
  return { kind: "web", run: (operation) => runAsync(provider, operation) };
}

/** What is looked for in the global object. */
export interface WebScope {
  readonly crypto?: { readonly subtle?: SubtleCrypto };
}
