import { execFile, spawn } from "node:child_process";
import * as c from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { fromBinary } from "@bufbuild/protobuf";
import { expect, onTestFinished, test } from "vitest";
import { ContentSchema } from "../../../protocol/src/gen/parley/content/v1/content_pb.ts";
import { AccountEntrySchema } from "../../../protocol/src/gen/parley/wire/v1/account_pb.ts";
import * as client from "./client.ts";

const ROOT = fileURLToPath(new URL("../../../..", import.meta.url));
const CLIENT = fileURLToPath(new URL("client.ts", import.meta.url));
const LINES_MAX = 150;

function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "parley-independent-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** The real server, as `npm start` starts it. */
async function startServer(): Promise<string> {
  const args = [
    `${ROOT}packages/server/src/main.ts`,
    "--data",
    temporaryFolder(),
    "--port",
    "0",
    "--log",
    "error",
  ];
  const server = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  onTestFinished(() => void server.kill());
  for await (const chunk of server.stdout) {
    const origin = /http:\/\/127\.0\.0\.1:\d+/.exec(String(chunk))?.[0];
    if (origin !== undefined) return origin;
  }
  throw new Error("the server ended");
}

/** Somebody at our command line: what a command prints, object by object. */
function commandLine() {
  const folder = temporaryFolder();
  const env = {
    ...process.env,
    PARLEY_HOME: join(folder, "home"),
    PARLEY_KEY_FILE: join(folder, "key"),
  };
  return async (...args: readonly string[]) => {
    const parley = [`${ROOT}packages/cli/bin/parley.js`, ...args, "--json"];
    const { stdout } = await promisify(execFile)(process.execPath, parley, { env });
    return stdout
      .split("\n")
      .filter(Boolean)
      .map((line) => JSON.parse(line));
  };
}

test("a client that does what PROTOCOL.md says signs up, reads what our user writes, and is read by him", async () => {
  const origin = await startServer();
  const me = client.newAccount(c.randomBytes(32), c.randomBytes(32), 4711);
  const { next, tell } = client.connect(origin);
  const { nonce, versionMax: version } = await next("challenge");
  const login = client.login(me, origin, nonce);
  const signUp = { version, login, entries: [me.entry], handle: "stranger" };
  tell({ requestId: 1, request: { case: "signUp", value: signUp } });
  await next("signUp");
  const window = { envelopes: 64, bytes: 1_048_576 };
  const hello = { version, login, window, ownHead: me.head, prekeys: {} };
  tell({ requestId: 2, request: { case: "hello", value: hello } });
  await next("welcome");
  const kyber = c.generateKeyPairSync("ml-kem-1024");
  const secrets = { seed: me.seed, curve: c.randomBytes(32), kyber: kyber.privateKey };
  const kyberKey = client.cat("\x08", kyber.publicKey.export({ format: "raw-public" }));
  const prekeys = {
    signedPrekey: client.prekey(me.seed, client.curveKey(secrets.curve)),
    lastResortPrekey: client.prekey(me.seed, kyberKey),
  };
  tell({ requestId: 3, request: { case: "uploadPrekeys", value: prekeys } });
  await next("uploadPrekeys");

  const bob = commandLine();
  await bob("signup", "--server", origin, "--handle", "bob");
  await bob("send", "stranger", "Hello, whoever you are. Grüße! 👋");
  const { firstOrdinal, envelopes } = await next("deliver");
  const { sourceAccount, sourceDevice, ciphertext } = envelopes[0] ?? expect.unreachable();
  const fetch = { accountId: sourceAccount };
  tell({ requestId: 4, request: { case: "fetchAccountChain", value: fetch } });
  const { body } = (await next("fetchAccountChain")).entries[0] ?? expect.unreachable();
  expect(ciphertext[0]).toBe(0x03);
  const deviceKey = deviceKeyIn(body, sourceDevice);
  const { session, plaintext } = client.accept(secrets, deviceKey, ciphertext);
  const { text, seen } = client.textIn(plaintext);
  expect(text).toBe("Hello, whoever you are. Grüße! 👋");
  tell({ requestId: 0, request: { case: "ack", value: { upToOrdinal: firstOrdinal } } });

  const heads = { senderHead: me.head, recipientHead: client.headOf(body) };
  const answer = session.send(client.contentOf("I read your PROTOCOL.md", seen, heads));
  const to = { id: c.randomBytes(16), destinationDevice: sourceDevice, deliveryClass: 1 } as const;
  const recipientEnvelopes = [{ ...to, ciphertext: answer }];
  const send = { recipientAccount: sourceAccount, ...heads, recipientEnvelopes };
  tell({ requestId: 5, request: { case: "sendMessage", value: send } });
  expect((await next("sendMessage")).outcome.case).toBe("accepted");
  const [, shown] = await bob("listen", "--count", "1");
  expect(shown).toMatchObject({ from: "stranger", text: "I read your PROTOCOL.md" });

  // Of an accepted contact Bob tells what arrived and was read, under the same session.
  const { envelopes: more } = await next("deliver");
  const receipt = more[0] ?? expect.unreachable();
  expect(receipt.ciphertext[0]).toBe(0x02);
  const padded = session.receive(receipt.ciphertext.subarray(1));
  const content = fromBinary(ContentSchema, padded.subarray(0, padded.lastIndexOf(0x80)));
  expect(content.class).toMatchObject({
    case: "signal",
    value: { kind: { case: "receipt", value: { chains: [{ delivered: 1 }] } } },
  });
}, 60_000);

/** Of a chain with one entry. */
function deviceKeyIn(body: Uint8Array, deviceId: number): Uint8Array {
  const listed = fromBinary(AccountEntrySchema, body).changes.flatMap(({ change }) =>
    change.case === "setDevices" ? change.value.devices : [],
  );
  const device = listed.find((each) => each.deviceId === deviceId);
  return device?.identityKey ?? expect.unreachable();
}

test(`that client has at most ${LINES_MAX} lines, and of ours imports generated types only`, () => {
  const source = readFileSync(CLIENT, "utf8");
  expect(source.trim().split("\n").length).toBeLessThanOrEqual(LINES_MAX);
  const imported = [...source.matchAll(/(?:from|import\() *"([^"]+)"/g)].map(([, name]) => name);
  const ours = imported.filter((name) => /^\.|^@parley/.test(name as string));
  for (const name of ours) expect(name).toMatch(/^(\.\.\/){3}protocol\/src\/gen\//);
});
