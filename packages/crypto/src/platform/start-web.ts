import { type Operation, runAsync } from "../operation.ts";
import { nobleOnDemand } from "./noble-on-demand.ts";
import { webProvider } from "./web.ts";

export interface WebCrypto {
  readonly kind: "web" | "noble";
  run<T>(operation: Operation<T>): Promise<T>;
}

/** WebCrypto where there is one: in secure contexts only, their workers included. Else JavaScript. */
export function startWebCrypto({ crypto }: WebScope = globalThis): WebCrypto {
  const subtle = crypto?.subtle;
  const provider = subtle === undefined ? nobleOnDemand : webProvider(subtle);
  const kind = subtle === undefined ? "noble" : "web";
  return { kind, run: (operation) => runAsync(provider, operation) };
}

/** What is looked for in the global object. */
export interface WebScope {
  readonly crypto?: { readonly subtle?: SubtleCrypto };
}
