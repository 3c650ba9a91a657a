/**
 * Operations with public-key steps are generators that yield primitive calls. One code path serves a
 * synchronous and an asynchronous provider, and no check can be left unawaited: the generator goes on only
 * with the answer.
 */
export type PrimitiveCall =
  /** X25519 (RFC 7748). The answer is the shared secret; an all-zero one is refused by the driver. */
  | {
      readonly primitive: "x25519";
      readonly privateKey: Uint8Array;
      readonly publicKey: Uint8Array;
    }
  | { readonly primitive: "x25519PublicKey"; readonly privateKey: Uint8Array }
  /** Ed25519 (RFC 8032) under a 32-byte seed. */
  | { readonly primitive: "ed25519Sign"; readonly seed: Uint8Array; readonly message: Uint8Array }
  | { readonly primitive: "ed25519PublicKey"; readonly seed: Uint8Array }
  /** The answer is one byte: 1 valid, 0 not. */
  | {
      readonly primitive: "ed25519Verify";
      readonly publicKey: Uint8Array;
      readonly message: Uint8Array;
      readonly signature: Uint8Array;
    };

export type Operation<T> = Generator<PrimitiveCall, T, Uint8Array>;

export interface SyncProvider {
  answer(call: PrimitiveCall): Uint8Array;
}

export interface AsyncProvider {
  answer(call: PrimitiveCall): Promise<Uint8Array>;
}

export function runSync<T>(provider: SyncProvider, operation: Operation<T>): T {
  let step = operation.next();
  while (!step.done) step = operation.next(provider.answer(step.value));
  return step.value;
}

export async function runAsync<T>(provider: AsyncProvider, operation: Operation<T>): Promise<T> {
  let step = operation.next();
  while (!step.done) step = operation.next(await provider.answer(step.value));
  return step.value;
}
