import { create, type Message, toBinary } from "@bufbuild/protobuf";
import {
  AccountHeadSchema,
  type ClientFrame,
  ClientFrameSchema,
  DeliveryClass,
  ErrorCode,
  KyberPrekeySchema,
  LoginSchema,
  OneTimePrekeySchema,
  SendMessageRequestSchema,
  type ServerFrame,
  SignedAccountEntrySchema,
  SignedPrekeySchema,
} from "@parley/protocol";
import fc from "fast-check";
import { expect, test } from "vitest";
import { SETTINGS_DEFAULT } from "../../src/settings.ts";
import { arbitraryMessage, type Known } from "../fixtures/arbitrary-message.ts";
import { connect } from "../fixtures/embedded.ts";
import { Person, prekeysOf } from "../fixtures/person.ts";
import { again, talk } from "../fixtures/talk.ts";
import { envelope, type WireClient } from "../fixtures/wire-client.ts";

const RUNS = 250;
const REQUESTS = ClientFrameSchema.oneofs[0]?.fields ?? [];
const BEFORE_LOGIN: readonly string[] = ["sign_up", "hello", "put_link_step", "take_link_step"];
/** Long enough to be waited for, and no longer. */
const LINK_WAIT_MS_MAX = 5;

const limits = Object.fromEntries(
  Object.keys(SETTINGS_DEFAULT.limits).map((name) => [name, 1_000_000_000]),
) as unknown as typeof SETTINGS_DEFAULT.limits;
const UNLIMITED = { config: { limits: { ...limits, dryRun: false } } };

type Request = ClientFrame["request"];

/** Whatever a client may say that is within the schema, about these two or nobody. */
function arbitraryRequest(known: Known, isSaid = (_name: string) => true): fc.Arbitrary<Request> {
  const requests = REQUESTS.filter(({ name }) => isSaid(name)).map(({ localName, message }) =>
    message === undefined
      ? fc.constant({ case: undefined } as Request)
      : arbitraryMessage(message, known).map((value) => requestOf(localName, value)),
  );
  return fc.oneof(...requests);
}

function requestOf(localName: string, value: Message): Request {
  const request = { case: localName, value } as Request;
  if (request.case === "takeLinkStep") request.value.waitMs %= LINK_WAIT_MS_MAX;
  return request;
}

function knownOf(alice: Person, bob: Person): Known {
  const prekeys = prekeysOf(alice.phone, { oneTime: [5] });
  const send = create(SendMessageRequestSchema, {
    recipientAccount: bob.accountId,
    ...{ recipientHead: bob.head, senderHead: alice.head },
    recipientEnvelopes: [envelope(bob.phone.id, "hello")],
  });
  const entries = [...alice.entries, ...bob.entries, ...new Person("carol").entries];
  return new Map<string, readonly unknown[]>([
    ["account_id", [alice.accountId, bob.accountId]],
    ["recipient_account", [bob.accountId, alice.accountId, new Uint8Array()]],
    ["Envelope.id", [new Uint8Array(16)]],
    ["version", [1]],
    ["destination_device", [1]],
    ["delivery_class", [DeliveryClass.DURABLE, DeliveryClass.LIVE]],
    ["up_to_ordinal", [1n]],
    ["address", [new Uint8Array(16)]],
    ["handle", ["alice", "bob", "carol"]],
    ["SendMessageRequest", [send]],
    ["AccountHead", [alice.head, bob.head].map((head) => create(AccountHeadSchema, head))],
    ["SignedAccountEntry", entries.map((entry) => create(SignedAccountEntrySchema, entry))],
    ["SignedPrekey", [create(SignedPrekeySchema, prekeys.signedPrekey)]],
    ["KyberPrekey", [create(KyberPrekeySchema, prekeys.lastResortPrekey)]],
    ["OneTimePrekey", prekeys.oneTimePrekeys.map((each) => create(OneTimePrekeySchema, each))],
  ]);
}

/** Resolves with the answer, or once the connection has ended. */
async function said(client: WireClient, request: Request, requestId: number) {
  const isAnswered = request.case !== "ack" && request.case !== "sendLive";
  const frame = create(ClientFrameSchema, { requestId: isAnswered ? requestId : 0, request });
  client.sendRaw(toBinary(ClientFrameSchema, frame));
  if (!isAnswered) return;
  const answered = (each: ServerFrame) => each.requestId === requestId;
  await Promise.race([client.any(answered), client.closed]);
}

function expectNoFault(client: WireClient): void {
  const codes = client.frames.flatMap(({ response }) =>
    response.case === "error" ? [response.value.code] : [],
  );
  expect(codes).not.toContain(ErrorCode.INTERNAL);
}

test("whatever a device says within the schema is answered, and breaks nothing", async () => {
  const { server, alice, bob, b } = await talk(UNLIMITED);
  await b.send(bob, alice);
  const requests = arbitraryRequest(knownOf(alice, bob));
  await fc.assert(
    fc.asyncProperty(fc.array(requests, { minLength: 1, maxLength: 6 }), async (all) => {
      const client = await again(server, alice);
      for (const [index, request] of all.entries()) await said(client, request, index + 100);
      expectNoFault(client);
      client.wire?.close();
    }),
    { numRuns: RUNS },
  );
  const back = await again(server, alice);
  back.acksByItself = true;
  await back.drain();
  expect((await b.send(bob, alice, { text: "still here" })).outcome.case).toBe("accepted");
});

test("whatever a stranger says within the schema is answered, and breaks nothing", async () => {
  const { server, alice, bob, a } = await talk(UNLIMITED);
  const requests = (client: WireClient, nonce: Uint8Array) => {
    const logins = [alice, bob, new Person("dora")].map((person) =>
      create(LoginSchema, person.login(nonce, client.origin)),
    );
    const known = new Map([...knownOf(alice, bob), ["Login", logins]]);
    return arbitraryRequest(known, (name) => BEFORE_LOGIN.includes(name));
  };
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1 }), async (seed) => {
      const client = connect(server);
      const { nonce } = await client.frame("challenge");
      // Logins are of this connection, so what is said is drawn here.
      const all = fc.sample(requests(client, nonce), { seed, numRuns: 4 });
      for (const [index, request] of all.entries()) await said(client, request, index + 100);
      expectNoFault(client);
      client.wire?.close();
    }),
    { numRuns: RUNS },
  );
  await again(server, alice);
  const sender = await again(server, bob);
  expect((await sender.send(bob, alice)).outcome.case).toBe("accepted");
  expect(a.frames.length).toBeGreaterThan(0);
});
