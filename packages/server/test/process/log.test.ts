import { request } from "node:http";
import { ErrorCode } from "@parley/protocol";
import { expect, test } from "vitest";
import { LOG_KEYS } from "../../src/adapters/log/clean-fields.ts";
import { LOG_EVENTS } from "../../src/ports/log-events.ts";
import { testFolder } from "../fixtures/embedded.ts";
import { INTERNAL_PORT, internalPortOf, logLines } from "../fixtures/internal-port.ts";
import { randomBytes } from "../fixtures/keys.ts";
import { Person } from "../fixtures/person.ts";
import { connectTo, startServer } from "../fixtures/server-process.ts";

const KEYS = new Set(["time", "level", "event", ...LOG_KEYS]);
/** Of an error; its frames name our own files. */
const ERROR_KEYS = new Set(["type", "message", "code", "stack", "cause"]);

/** In every way in which it could be written. */
function spellings(secret: Uint8Array): string[] {
  const bytes = Buffer.from(secret);
  const hex = bytes.toString("hex");
  const uuid = hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
  const whole = bytes.length - (bytes.length % 3); // What follows does not change these letters.
  return [hex, uuid, bytes.toString("base64url"), bytes.subarray(0, whole).toString("base64")];
}

interface Secrets {
  readonly texts: string[];
  readonly bytes: Uint8Array[];
}

/** All that goes on between people and a server, and most of what goes wrong. */
async function live(origin: string): Promise<Secrets> {
  const names = ["a.handle.of.alice", "a.handle.of.bob"] as const;
  const [alice, bob] = names.map((name) => new Person(name)) as [Person, Person];
  const secrets: Secrets = {
    texts: [...names, "what alice wrote", "a.handle.of.nobody", "not.a.token"],
    bytes: [alice.accountId, bob.accountId, alice.root.publicKey, randomBytes(16)],
  };
  const [a, b] = [await connectTo(origin), await connectTo(origin)];
  const { receipt } = await a.signUp(alice);
  secrets.bytes.push(receipt);
  await b.signUp(bob);
  await a.hello(alice);
  await a.send(alice, bob, { text: "what alice wrote" });
  await b.hello(bob);
  await b.deliveries(1);
  b.ack(1n);
  // Refused, unknown, contradictory, forged, malformed.
  const taken = new Person(names[0]);
  secrets.bytes.push(taken.accountId);
  const stranger = await connectTo(origin);
  await expect(stranger.signUp(taken)).rejects.toMatchObject({
    code: ErrorCode.HANDLE_NOT_AVAILABLE,
  });
  await expect(stranger.hello(taken)).rejects.toMatchObject({ code: ErrorCode.NOT_FOUND });
  const forged = new Person(names[1]);
  const thief = await connectTo(origin);
  const lie = Object.create(bob, { phone: { value: forged.phone } }) as Person;
  await expect(thief.hello(lie)).rejects.toMatchObject({ code: ErrorCode.LOGIN_REFUSED });
  const lookUp = (handle: string) =>
    a.request("lookUpHandle", { case: "lookUpHandle", value: { handle } });
  await expect(lookUp("a.handle.of.nobody")).rejects.toBeDefined();
  await expect(lookUp("not a handle at all")).rejects.toBeDefined();
  for (let index = 0; index < 60; index++) await lookUp(names[1]).catch(() => undefined);
  a.sendRaw(Buffer.concat([Uint8Array.of(0xff), Buffer.from("what alice wrote")]));
  await a.closed;
  const again = await connectTo(origin);
  await again.hello(bob); // Takes the other connection's place.
  await b.closed;
  again.wire?.close();
  await badHttp(origin);
  return secrets;
}

async function badHttp(origin: string): Promise<void> {
  const headers = {
    authorization: "Bearer not.a.token",
    "x-forwarded-for": "203.0.113.77",
    "user-agent": "a.handle.of.alice",
  };
  for (const path of ["/", "/a.handle.of.bob?token=not.a.token", "/v1/socket", "/readyz"])
    await new Promise<void>((resolve, reject) => {
      const asked = request(`${origin}${path}`, { headers }, (answer) => {
        answer.resume().on("end", resolve);
      });
      asked.on("error", reject).end();
    });
}

test("every line has an event and keys of the list, and none names a person or holds what one wrote", async () => {
  const dataFolder = testFolder();
  const server = await startServer({ dataFolder, args: ["--log", "debug", ...INTERNAL_PORT] });
  const secrets = await live(server.origin);
  await internalPortOf(server).get("/readyz");
  server.signal("SIGKILL");
  await server.exited;
  const next = await startServer({ dataFolder, args: ["--log", "debug"] });
  next.signal("SIGTERM");
  await next.exited;

  const lines = [...logLines(server), ...logLines(next)];
  for (const line of lines) {
    expect(Object.keys(line).filter((key) => !KEYS.has(key))).toEqual([]);
    expect(Object.keys(LOG_EVENTS)).toContain(line["event"]);
    expect(line["level"]).toMatch(/^(debug|info|warn)$/);
    expect(Object.keys((line["err"] ?? {}) as object).every((key) => ERROR_KEYS.has(key))).toBe(
      true,
    );
    // Twelve hex digits, salted for this process.
    if ("account" in line) expect(line["account"]).toMatch(/^[0-9a-f]{12}$/);
  }
  const events = new Set(lines.map(({ event }) => event));
  for (const event of [
    ...["epoch-opened", "internal-port-listening", "listening", "stopping", "stopped"],
    ...["logged-in", "request-failed", "refused", "push", "connection-ended"],
  ])
    expect(events).toContain(event);

  const log = `${server.log()}${next.log()}`.toLowerCase();
  for (const secret of [...secrets.texts, ...secrets.bytes.flatMap(spellings)])
    expect(log).not.toContain(secret.toLowerCase());
  for (const address of ["127.0.0.1", "::1", "203.0.113.77", "::ffff"])
    expect(log).not.toContain(address);
}, 30_000);

test("a flood of refused requests does not fill the log", async () => {
  const server = await startServer({ dataFolder: testFolder(), args: ["--log", "debug"] });
  const clients = await Promise.all(
    Array.from({ length: 10 }, async (_, i) => {
      const client = await connectTo(server.origin);
      const person = new Person(`person${i}`);
      await client.signUp(person);
      await client.hello(person);
      return client;
    }),
  );
  const before = logLines(server).length;
  const value = { handle: "nobody.has.this.handle" };
  let refused = 0;
  const ask = (client: (typeof clients)[number]) =>
    client.request("lookUpHandle", { case: "lookUpHandle", value }).catch(() => refused++);
  await Promise.all(clients.flatMap((client) => Array.from({ length: 100 }, () => ask(client))));
  expect(refused).toBeGreaterThan(500);
  expect(logLines(server).length - before).toBeLessThan(100);
}, 30_000);
