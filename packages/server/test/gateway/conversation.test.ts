import { expect, test } from "vitest";
import { connect, testServer } from "../fixtures/embedded.ts";
import { Person, prekeysOf } from "../fixtures/person.ts";
import { textOf } from "../fixtures/wire-client.ts";

test("two people sign up, find each other, fetch keys, and a message arrives once", async () => {
  const server = testServer();
  const [alice, bob] = [new Person("alice"), new Person("bob")];
  const [a, b] = [connect(server), connect(server)];
  expect((await a.signUp(alice)).handle).toBe("alice");
  await b.signUp(bob);
  expect((await a.hello(alice)).epochs).toHaveLength(1);
  await b.hello(bob);
  await b.request("uploadPrekeys", {
    case: "uploadPrekeys",
    value: prekeysOf(bob.phone, { oneTime: [1, 2] }),
  });

  const { accountId } = await a.request("lookUpHandle", {
    case: "lookUpHandle",
    value: { handle: "Bob" },
  });
  expect(accountId).toEqual(bob.accountId);
  const chain = await a.request("fetchAccountChain", {
    case: "fetchAccountChain",
    value: { accountId },
  });
  expect(chain.entries.map(({ body }) => body)).toEqual([bob.entries[0]?.body]);
  const { bundles } = await a.request("fetchPrekeyBundles", {
    case: "fetchPrekeyBundles",
    value: { accountId },
  });
  expect(bundles.map(({ oneTimePrekey }) => oneTimePrekey?.id)).toEqual([1]);

  const sent = await a.send(alice, bob, { text: "hello" });
  expect(sent.outcome.case).toBe("accepted");
  const [envelope] = await b.deliveries(1);
  expect(envelope && textOf(envelope)).toBe("hello");
  expect(envelope?.sourceAccount).toEqual(alice.accountId);
  b.ack(1n);
  await b.drain();
  expect(b.delivered).toHaveLength(1);
  await server.stop();
});
