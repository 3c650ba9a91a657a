import type { SafetyNumber } from "@parley/crypto";
import { fromHex, toHex } from "@parley/protocol";
import {
  type ConnectionState,
  type Linking,
  type MessageStatus,
  type MessengerApi,
  MessengerError,
  type MessengerEvent,
  type OfferedDevice,
  type PresenceSettings,
  type RecoverOptions,
  type ScannedSafetyNumber,
  type ShownContact,
  type ShownDevice,
  type ShownHole,
  type ShownMessage,
  type TypingState,
} from "./api.ts";
import { checkConversation, checkDeviceName, checkText } from "./checks.ts";
import { ContactBook, handleOf } from "./contact-book.ts";
import { findContact } from "./contacts.ts";
import { makeBody } from "./conversation/entry.ts";
import type { HistoryPage } from "./conversation/history.ts";
import type { Ledger } from "./conversation/ledger.ts";
import type { Viewer } from "./conversation/shown.ts";
import { type Device, type DevicePorts, openDevice } from "./device.ts";
import { Devices } from "./devices.ts";
import { Flow } from "./flow.ts";
import type { OwnAccount, SignUpOptions } from "./identity/identity.ts";
import { Linkings } from "./linking/linkings.ts";
import { Messages } from "./messages.ts";
import { orMessengerError } from "./messenger-error.ts";
import { onLedger, type Parts } from "./parts.ts";
import { StatusWaiters } from "./status-waiters.ts";

export interface MessengerOptions extends DevicePorts {
  /**
   * Once. The store failed, or an invariant broke: nothing runs any more, and what waits is rejected. Close,
   * and open again.
   */
  readonly onFatal?: (cause: unknown) => void;
}

const MESSAGE_ID_BYTES = 16;

/**
 * A person's device: account, contacts, conversations. It only wires the parts and hands calls on. What moves,
 * and when, stands in flow.ts.
 */
export class Messenger implements MessengerApi {
  readonly #parts: Parts;
  readonly #device: Device;
  readonly #flow: Flow;
  readonly #contacts: ContactBook;
  readonly #messages: Messages;
  readonly #devices: Devices;
  readonly #linkings: Linkings;
  readonly #waiters = new StatusWaiters();
  readonly #listeners = new Set<(event: MessengerEvent) => void>();
  readonly #onFatal: (cause: unknown) => void;
  #wantsConnection = false;
  #ended: MessengerError | undefined;

  static async open(options: MessengerOptions): Promise<Messenger> {
    let messenger: Messenger | undefined;
    // The connection is started by the messenger, so there is one by the time that it hands something up.
    const self = () => messenger as Messenger;
    const flow = () => self().#flow;
    const device = await openDevice(options, {
      welcome: (welcome, rolledBack) => flow().welcome(welcome, rolledBack),
      delivered: (batch) => flow().delivered(batch),
      drained: () => flow().drained(),
      mailboxHasRoom: () => flow().mailboxHasRoom(),
      accountChainMoved: () => {
        self()
          .#devices.look()
          .catch((cause: unknown) => self().#fatal(cause));
      },
      live: (envelope) => flow().live(envelope),
      presenceChanged: (changed) => flow().presence.changed(changed),
      devicesLeft: () => flow().devicesLeft(),
      alarm: (kind, about) => self().#emit({ type: "alarm", kind, about }),
      fatal: (cause) => self().#fatal(cause),
    });
    messenger = new Messenger(options, device);
    await messenger.#flow.load();
    return messenger;
  }

  private constructor(options: MessengerOptions, device: Device) {
    const { clock, crypto, random, onFatal = () => {} } = options;
    const emit = (event: MessengerEvent) => this.#emit(event);
    const fatal = (cause: unknown) => this.#fatal(cause);
    const viewer = () => this.#viewer();
    this.#device = device;
    this.#onFatal = onFatal;
    this.#parts = { device, clock, random, emit, fatal };
    this.#flow = new Flow(this.#parts, viewer);
    this.#contacts = new ContactBook(this.#parts, this.#flow);
    this.#messages = new Messages(this.#parts, this.#flow, viewer);
    this.#devices = new Devices(this.#parts);
    const start = () => this.start();
    const { flow, devices } = { flow: this.#flow, devices: this.#devices };
    this.#linkings = new Linkings({
      ...this.#parts,
      channel: options,
      crypto,
      flow,
      devices,
      start,
    });
    device.connection.onState((state) => {
      this.#flow.stateChanged(state);
      this.#emit({ type: "connection", state });
    });
  }

  get account(): { accountId: string; handle: string; deviceId: number } | undefined {
    const { account } = this.#device.identity;
    if (account === undefined) return undefined;
    const { accountId, handle, deviceId } = account;
    return { accountId, handle, deviceId };
  }

  get connectionState(): ConnectionState {
    return this.#device.connection.state;
  }

  async signUp({ handle: typed, ...rest }: SignUpOptions): Promise<{
    accountId: string;
    handle: string;
    recoveryCode: string;
  }> {
    const { identity } = this.#device;
    const handle = handleOf(typed);
    checkDeviceName(rest.deviceName);
    const { account, recoveryCode } = await orMessengerError(identity.signUp({ ...rest, handle }));
    if (this.#wantsConnection) this.#device.connection.start();
    return { accountId: account.accountId, handle: account.handle, recoveryCode };
  }

  start(): void {
    this.#wantsConnection = true;
    if (this.account !== undefined && this.#ended === undefined) this.#device.connection.start();
  }

  async caughtUp(): Promise<void> {
    this.#own();
    const { connection } = this.#device;
    await new Promise<void>((resolve, reject) => {
      const look = (state: ConnectionState): boolean => {
        const cause = this.#ended ?? endOf(state);
        if (cause !== undefined) reject(cause);
        else if (state.kind === "online") resolve();
        return cause !== undefined || state.kind === "online";
      };
      if (look(connection.state)) return;
      const stop = connection.onState((state) => {
        if (look(state)) stop();
      });
    });
  }

  async close(): Promise<void> {
    if (this.#ended === undefined) await this.#flow.finish();
    this.#end(new MessengerError("unreachable", "the messenger was closed"));
    await this.#device.close();
  }

  async sendText(
    conversation: string,
    text: string,
    { replyTo }: { replyTo?: string } = {},
  ): Promise<{ messageId: string }> {
    const own = this.#own();
    checkText(text);
    if (own.awaitsHandOver)
      throw new MessengerError(
        "try-again-later",
        "another device of yours still hands over to this one",
      );
    checkConversation(conversation, own);
    const messageId = this.#parts.random(MESSAGE_ID_BYTES);
    const work = async (ledger: Ledger) => {
      const contact = await findContact(ledger.tx, conversation);
      if (contact?.blocked === true)
        throw new MessengerError("blocked", "this contact is blocked: accept it first");
      await this.#contacts.acceptIn(ledger, conversation);
      const body = await this.#bodyOf(ledger, conversation, { messageId, text, replyTo });
      const fields = { conversation: fromHex(conversation), messageId, body };
      this.#flow.outbox.saveTyped(ledger.tx, fields);
    };
    await orMessengerError(onLedger(this.#parts, work));
    this.#flow.typing.sent(conversation);
    return { messageId: toHex(messageId) };
  }

  async reached(messageId: string, status: "sent" | "delivered" | "read"): Promise<MessageStatus> {
    this.#own();
    return await orMessengerError(
      this.#waiters.reached(messageId, status, () => this.#messages.status(messageId)),
    );
  }

  async history(conversation: string, page: HistoryPage = {}): Promise<readonly ShownMessage[]> {
    return await orMessengerError(this.#messages.history(conversation, page));
  }

  async holes(conversation: string): Promise<readonly ShownHole[]> {
    return await orMessengerError(this.#messages.holes(conversation));
  }

  async unread(): Promise<readonly ShownMessage[]> {
    return await orMessengerError(this.#messages.unread());
  }

  async markRead(messageIds: readonly string[]): Promise<void> {
    await orMessengerError(this.#messages.markRead(messageIds));
  }

  async devices(): Promise<readonly ShownDevice[]> {
    this.#own();
    return await orMessengerError(this.#devices.all());
  }

  async removeDevice(deviceId: number): Promise<void> {
    this.#own();
    await orMessengerError(this.#devices.remove(deviceId));
  }

  async offerDevice(options: { readonly deviceName?: string } = {}): Promise<OfferedDevice> {
    checkDeviceName(options.deviceName);
    if (this.account !== undefined)
      throw new MessengerError("already-signed-up", "this device has an account");
    return await this.#linkings.offer(options);
  }

  async recover(options: RecoverOptions): Promise<{
    accountId: string;
    handle: string;
    deviceId: number;
  }> {
    checkDeviceName(options.deviceName);
    if (this.account !== undefined)
      throw new MessengerError("already-signed-up", "this device has an account");
    return await this.#linkings.recover(options);
  }

  async linkDevice(code: string): Promise<Linking<{ readonly deviceId: number }>> {
    this.#own();
    return await this.#linkings.take(code);
  }

  async contacts(): Promise<readonly ShownContact[]> {
    return await orMessengerError(this.#contacts.all());
  }

  async resolveHandle(handle: string): Promise<{ accountId: string; handle: string }> {
    return await orMessengerError(this.#contacts.resolveHandle(handle));
  }

  async acceptContact(accountId: string): Promise<void> {
    checkConversation(accountId, this.#own());
    await orMessengerError(this.#contacts.accept(accountId));
  }

  async blockContact(accountId: string): Promise<void> {
    checkConversation(accountId, this.#own());
    await orMessengerError(this.#contacts.block(accountId));
  }

  async nameContact(accountId: string, localName: string): Promise<void> {
    await orMessengerError(this.#contacts.name(accountId, localName));
  }

  async safetyNumber(accountId: string): Promise<SafetyNumber> {
    return await orMessengerError(this.#contacts.safetyNumber(accountId));
  }

  async scanSafetyNumber(accountId: string, scanned: Uint8Array): Promise<ScannedSafetyNumber> {
    return await orMessengerError(this.#contacts.scanSafetyNumber(accountId, scanned));
  }

  async markVerified(accountId: string, verified: boolean): Promise<void> {
    await orMessengerError(this.#contacts.markVerified(accountId, verified));
  }

  typing(conversation: string, state: TypingState): void {
    checkConversation(conversation, this.#own());
    if (this.#ended === undefined) this.#flow.typing.tell(conversation, state);
  }

  async presenceSettings(): Promise<PresenceSettings> {
    return await orMessengerError(this.#flow.presence.settings());
  }

  async setPresence(settings: PresenceSettings): Promise<void> {
    this.#own();
    await orMessengerError(this.#flow.presence.set(settings));
  }

  setActive(isActive: boolean): void {
    this.#flow.presence.setActive(isActive);
  }

  async watchPresence(accountIds: readonly string[]): Promise<void> {
    const own = this.#own();
    for (const accountId of accountIds) checkConversation(accountId, own);
    await orMessengerError(this.#flow.presence.watch(accountIds));
  }

  async pendingRecoveryCode(): Promise<string | undefined> {
    return await orMessengerError(this.#device.identity.pendingRecoveryCode());
  }

  async confirmRecoveryCode(): Promise<void> {
    await orMessengerError(this.#device.identity.confirmRecoveryCode());
  }

  on(listener: (event: MessengerEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async #bodyOf(
    ledger: Ledger,
    conversation: string,
    {
      messageId,
      text,
      replyTo,
    }: { messageId: Uint8Array; text: string; replyTo?: string | undefined },
  ): Promise<Uint8Array> {
    const author = replyTo && (await this.#messages.authorOf(ledger, conversation, replyTo));
    return makeBody({
      messageId,
      sentAtMs: BigInt(this.#parts.clock.now()),
      kind: {
        case: "text",
        value: {
          text,
          ...(replyTo &&
            author && {
              replyTo: { accountId: fromHex(author), messageId: fromHex(replyTo) },
            }),
        },
      },
    });
  }

  #own(): OwnAccount {
    const { account } = this.#device.identity;
    if (account === undefined)
      throw new MessengerError("not-signed-up", "this device has no account yet");
    return account;
  }

  #viewer(): Viewer {
    const { accountId, handle } = this.#own();
    const { directory } = this.#device;
    return { accountId, handle, handleOf: (tx, other) => directory.handleOf(tx, other) };
  }

  #emit(event: MessengerEvent): void {
    this.#waiters.hear(event);
    for (const listener of [...this.#listeners]) listener(event);
    // What was being written is here.
    if (event.type === "message") this.#flow.typingOfOthers.stopped(event.message.from.accountId);
  }

  #fatal(cause: unknown): void {
    if (this.#ended !== undefined) return;
    this.#end(
      new MessengerError("try-again-later", "this device stopped: open it again", { cause }),
    );
    void this.#device.connection.close();
    this.#onFatal(cause);
  }

  #end(cause: MessengerError): void {
    this.#ended ??= cause;
    this.#flow.close();
    this.#waiters.end(this.#ended);
  }
}

function endOf(state: ConnectionState): MessengerError | undefined {
  if (state.kind !== "ended") return undefined;
  return new MessengerError(
    "not-allowed",
    `the server ended this device's connection: ${state.reason}`,
  );
}
