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
  readonly messageId: string;
  readonly status: Wanted;
  readonly resolve: (status: MessageStatus) => void;
  readonly reject: (cause: unknown) => void;
}

/** Who waits for a message to get somewhere. */
export class StatusWaiters {
  readonly #waiters = new Set<Waiter>();

  /** `now` reads the status that it has; what comes while it is read is not missed. */
  async reached(
    messageId: string,
    status: Wanted,
    now: () => Promise<MessageStatus | undefined>,
  ): Promise<MessageStatus> {
    let waiter: Waiter | undefined;
    const reached = new Promise<MessageStatus>((resolve, reject) => {
      waiter = { messageId, status, resolve, reject };
      this.#waiters.add(waiter);
    });
    reached.catch(() => {}); // Whoever asked hears of it, or of what went wrong in `now`.
    try {
      const current = await now();
      if (current === undefined)
        throw new MessengerError("not-allowed", "no message of this device has that id");
      this.#tell(messageId, current);
      return await reached;
    } finally {
      this.#waiters.delete(waiter as Waiter);
    }
  }

  hear(event: MessengerEvent): void {
    if (event.type === "status") this.#tell(event.messageId, event.status);
  }

  end(cause: unknown): void {
    for (const { reject } of this.#waiters) reject(cause);
    this.#waiters.clear();
  }

  #tell(messageId: string, status: MessageStatus): void {
    for (const waiter of [...this.#waiters]) {
      if (waiter.messageId !== messageId) continue;
      if (status === "failed")
        waiter.reject(new MessengerError("not-allowed", "the server refused the message"));
      else if (RANK[status] >= RANK[waiter.status]) waiter.resolve(status);
    }
  }
}
