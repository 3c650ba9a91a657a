import type { AccountStore } from "./account-store.ts";
import type { EpochStore } from "./epoch-store.ts";
import type { InvitationStore } from "./invitation-store.ts";
import type { MailboxStore } from "./mailbox-store.ts";
import type { PrekeyStore } from "./prekey-store.ts";
import type { PresenceStore } from "./presence-store.ts";
import type { PushSender } from "./push-sender.ts";
import type { RateLimiter } from "./rate-limiter.ts";
import type { SessionRegistry } from "./session-registry.ts";
import type { WakeupBus } from "./wakeup-bus.ts";

/** Everything that a server stands on, besides clock and random. No call spans two of them. */
export interface Ports {
  readonly accounts: AccountStore;
  readonly invitations: InvitationStore;
  readonly prekeys: PrekeyStore;
  readonly mailboxes: MailboxStore;
  readonly epochs: EpochStore;
  readonly registry: SessionRegistry;
  readonly bus: WakeupBus;
  readonly push: PushSender;
  readonly presenceStore: PresenceStore;
  readonly rateLimiter: RateLimiter;
}
