import type { MessageInitShape } from "@bufbuild/protobuf";
import {
  type ClientFrameSchema,
  decodeServerFrame,
  ErrorCode,
  encodeClientFrame,
  type ServerFrame,
} from "@parley/protocol";
import { type Account, loginOf } from "./account.ts";
import { type SocketHandlers, WebSocketClient } from "./wire/web-socket.ts";

const SOCKET_PATH = "/v1/socket";
/** As our client asks for (client/src/connection/login.ts). */
const WINDOW = { envelopes: 512, bytes: 2 * 1024 * 1024 };

type Request = NonNullable<MessageInitShape<typeof ClientFrameSchema>["request"]>;

/** A device on a connection: greets by the generated codec, then whoever runs a load takes the socket over. */
export class Device {
  readonly account: Account;
  /** Who takes the socket over in the same turn as the welcome comes, before anything behind it. */
  onWelcome: SocketHandlers | undefined;
  readonly #origin: string;
  readonly #waiting: ((frame: ServerFrame | Error) => void)[] = [];
  readonly #frames: ServerFrame[] = [];
  #socket: WebSocketClient | undefined;

  private constructor(account: Account, port: number) {
    this.account = account;
    this.#origin = `http://127.0.0.1:${port}`;
  }

  /** Signs up unless the account is there, and logs in. Resolves behind the first *drained*. */
  static async logIn(account: Account, port: number): Promise<Device> {
    const device = await Device.#connect(account, port);
    await device.greet(await device.challenge());
    while ((await device.#next()).response.case !== "drained") {
      // What was waiting for this device; nobody acknowledges it here.
    }
    return device;
  }

  /** Makes the account and goes. */
  static async signUp(account: Account, port: number): Promise<void> {
    const device = await Device.#connect(account, port);
    await device.#signUp(await device.challenge());
    device.socket.cut();
  }

  /** Connected, and not logged in. */
  static async connect(account: Account, port: number): Promise<Device> {
    return Device.#connect(account, port);
  }

  get socket(): WebSocketClient {
    if (this.#socket === undefined) throw new Error("not connected");
    return this.#socket;
  }

  async challenge(): Promise<Uint8Array> {
    const { response } = await this.#next();
    if (response.case !== "challenge") throw new Error(`${response.case} in place of a challenge`);
    return response.value.nonce;
  }

  /** Until the welcome. */
  async greet(challenge: Uint8Array): Promise<void> {
    const hello = await this.#ask(this.#hello(challenge));
    if (hello.case === "welcome") return;
    if (hello.case !== "error" || hello.value.code !== ErrorCode.NOT_FOUND) throw refused(hello);
    await this.#signUp(challenge);
    const again = await this.#ask(this.#hello(challenge));
    if (again.case !== "welcome") throw refused(again);
  }

  static async #connect(account: Account, port: number): Promise<Device> {
    const device = new Device(account, port);
    device.#socket = await WebSocketClient.open(port, SOCKET_PATH, {
      message: (bytes, start, end) =>
        device.#received(decodeServerFrame(Uint8Array.from(bytes.subarray(start, end)))),
      closed: (reason) => {
        for (const settle of device.#waiting.splice(0)) settle(new Error(reason));
      },
    } satisfies SocketHandlers);
    return device;
  }

  async #signUp(challenge: Uint8Array): Promise<void> {
    const { handle, entries } = this.account;
    const login = loginOf(this.account, this.#origin, challenge);
    const answer = await this.#ask({
      case: "signUp",
      value: { version: 1, login, entries: [...entries], handle },
    });
    if (answer.case !== "signUp") throw refused(answer);
  }

  #hello(challenge: Uint8Array): Request {
    return {
      case: "hello",
      value: {
        version: 1,
        login: loginOf(this.account, this.#origin, challenge),
        window: WINDOW,
        ownHead: this.account.head,
        prekeys: {},
      },
    };
  }

  async #ask(request: Request): Promise<ServerFrame["response"]> {
    this.socket.send(encodeClientFrame({ requestId: 1, request }));
    for (;;) {
      const { requestId, response } = await this.#next();
      if (requestId === 1) return response;
    }
  }

  #received(frame: ServerFrame): void {
    if (frame.response.case === "welcome" && this.onWelcome !== undefined)
      this.socket.handOver(this.onWelcome);
    const waiting = this.#waiting.shift();
    if (waiting === undefined) this.#frames.push(frame);
    else waiting(frame);
  }

  #next(): Promise<ServerFrame> {
    const frame = this.#frames.shift();
    if (frame !== undefined) return Promise.resolve(frame);
    return new Promise((resolve, reject) => {
      this.#waiting.push((given) => (given instanceof Error ? reject(given) : resolve(given)));
    });
  }
}

function refused(answer: ServerFrame["response"]): Error {
  const said =
    answer.case === "error" ? `${answer.value.code} ${answer.value.message}` : answer.case;
  return new Error(`the server answers ${said}`);
}
