import { ErrorCode, ProtocolError } from "@parley/protocol";
import type { AccountStore } from "../ports/account-store.ts";
import type { Clock } from "../ports/clock.ts";
import type { Invitation, InvitationStore } from "../ports/invitation-store.ts";
import type { Random } from "../ports/random.ts";
import { invitationHash, newInvitationCode } from "./invitation-code.ts";

export interface InvitationsParts {
  readonly accounts: Pick<AccountStore, "count">;
  readonly store: InvitationStore;
  readonly clock: Clock;
  readonly random: Random;
}

export interface Given extends Pick<Invitation, "id" | "uses" | "expiresAtMs"> {
  /** Said once: what is kept is its hash. */
  readonly code: string;
}

const DAY_MS = 24 * 60 * 60 * 1000;
/** So that a letter that is lost does not let somebody in for ever. */
export const INVITATION_LIFETIME_MS_DEFAULT = 7 * DAY_MS;
/** A class, a company: more than that is what open sign-up is for. */
export const INVITATION_USES_MAX = 10_000;
/** Above it somebody makes them by a loop, and means something else. */
const INVITATIONS_MAX = 10_000;

/** What an operator does with invitations. */
export class Invitations {
  readonly #parts: InvitationsParts;

  constructor(parts: InvitationsParts) {
    this.#parts = parts;
  }

  /** For `lifetimeMs` from now, or for ever. */
  async create(uses: number, lifetimeMs: number | undefined): Promise<Given> {
    const { store, clock, random } = this.#parts;
    if ((await store.all()).length >= INVITATIONS_MAX)
      throw new ProtocolError(ErrorCode.NOT_ALLOWED, `${INVITATIONS_MAX} invitations are open`);
    const code = newInvitationCode(random);
    const expiresAtMs = lifetimeMs === undefined ? undefined : clock.now() + lifetimeMs;
    const hash = invitationHash(code) as Uint8Array;
    const id = await store.create({ hash, uses, expiresAtMs });
    return { id, code, uses, expiresAtMs };
  }

  /** Where there is nobody here who could ask for one, and none is open. */
  async first(): Promise<Given | undefined> {
    const { store, accounts } = this.#parts;
    if ((await accounts.count()) > 0 || (await store.all()).length > 0) return undefined;
    return await this.create(1, INVITATION_LIFETIME_MS_DEFAULT);
  }

  all(): Promise<readonly Invitation[]> {
    return this.#parts.store.all();
  }

  revoke(id: number): Promise<boolean> {
    return this.#parts.store.revoke(id);
  }
}
