import { type MessageStatus, MessengerError, type MessengerEvent } from "./api.ts";

type Wanted = "sent" | "delivered" | "read";

const RANK: Record<MessageStatus, number> = {
  failed: -1,
  queued: 0,
  sent: 1,
  delivered: 2,
  read: 3,
};

interface Waiter {
  readonly status: Wanted;
  readonly resolve: (status: MessageStatus) => void;
  readonly reject: (cause: unknown) => void;
}

/** Who waits for a message to get somewhere. */
export class StatusWaiters {
  /** By message id: with thousands under way each change of status asks a few of them only. */
  readonly #waiters = new Map<string, Set<Waiter>>();

  /** `now` reads the status that it has; what comes while it is read is not missed. */
  async reached(
    messageId: string,
    status: Wanted,
    now: () => Promise<MessageStatus | undefined>,
  ): Promise<MessageStatus> {
    const { promise: reached, resolve, reject } = Promise.withResolvers<MessageStatus>();
    const waiter = { status, resolve, reject };
    this.#add(messageId, waiter);
    reached.catch(() => {}); // Whoever asked hears of it, or of what went wrong in `now`.
    try {
      const current = await now();
      if (current === undefined)
        throw new MessengerError("not-allowed", "no message of this device has that id");
      this.#tell(messageId, current);
      return await reached;
    } finally {
      this.#remove(messageId, waiter);
    }
  }

  hear(event: MessengerEvent): void {
    if (event.type === "status") this.#tell(event.messageId, event.status);
  }

  end(cause: unknown): void {
    for (const waiters of this.#waiters.values()) for (const { reject } of waiters) reject(cause);
    this.#waiters.clear();
  }

  #add(messageId: string, waiter: Waiter): void {
    const waiters = this.#waiters.get(messageId) ?? new Set();
    this.#waiters.set(messageId, waiters.add(waiter));
  }

  #remove(messageId: string, waiter: Waiter): void {
    const waiters = this.#waiters.get(messageId);
    waiters?.delete(waiter);
    if (waiters?.size === 0) this.#waiters.delete(messageId);
  }

  #tell(messageId: string, status: MessageStatus): void {
    for (const waiter of [...(this.#waiters.get(messageId) ?? [])]) {
      if (status === "failed")
        waiter.reject(new MessengerError("not-allowed", "the server refused the message"));
      else if (RANK[status] >= RANK[waiter.status]) waiter.resolve(status);
    }
  }
}
