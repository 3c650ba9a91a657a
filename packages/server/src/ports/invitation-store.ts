/** One that may still be used. Whom it was given to is nobody's business here. */
export interface Invitation {
  /** Small, for people to type; never used again. */
  readonly id: number;
  readonly uses: number;
  readonly usesLeft: number;
  readonly createdAtMs: number;
  /** Undefined: never. */
  readonly expiresAtMs: number | undefined;
}

export interface NewInvitation extends Pick<Invitation, "uses" | "expiresAtMs"> {
  /** Of the code (core/invitation-code.ts), which is kept nowhere. */
  readonly hash: Uint8Array;
}

/** Codes with which somebody may sign up. An AccountStore spends them, in the change that makes the account. */
export interface InvitationStore {
  /** Durable when it resolves, to the invitation's id. */
  create(invitation: NewInvitation): Promise<number>;
  /** Those that may still be used, by rising id. */
  all(): Promise<readonly Invitation[]>;
  /** False: there is none that may still be used. Durable when it resolves. */
  revoke(id: number): Promise<boolean>;
}
