import { expect, test } from "vitest";
import { check } from "../../src/checker/check.ts";
import type { HistoryEvent } from "../../src/checker/history.ts";
import { Hand } from "./histories.ts";

function broken(events: readonly HistoryEvent[]): string[] {
  return [...new Set(check(events).violations.map(({ invariant }) => invariant))].sort();
}

test("a history as it should be breaks nothing", () => {
  const hand = new Hand().whole("alice", "bob", "a1").whole("bob", "alice", "b1");
  expect(check(hand.done())).toEqual({
    ...{ violations: [], accepted: 2, lost: 0, duplicated: 0, reordered: 0, undecryptable: 0 },
  });
});

test("I1: a message that was accepted and is not there in the end is lost", () => {
  const hand = new Hand().whole("alice", "bob", "a1").whole("alice", "bob", "a2");
  hand.invoke("alice", "bob", "a3").saved("alice", "a3").status("alice", "a3", "sent");
  hand.line("alice", "bob", ["alice", "a3"], { status: "sent" });
  const verdict = check(hand.done());
  expect(verdict).toMatchObject({ accepted: 3, lost: 1 });
  expect(verdict.violations.find(({ invariant }) => invariant === "I1")?.what).toContain(
    "a3 (accepted) from alice to bob is not on bob's device: 1 of 3 lost, postfix",
  );
});

test("I1: a message that was saved and is gone from its writer's own device is lost", () => {
  const hand = new Hand().whole("alice", "bob", "a1");
  hand.invoke("alice", "bob", "a2").saved("alice", "a2").line("bob", "alice", ["alice", "a2"]);
  expect(broken(hand.done())).toEqual(["I1"]);
});

test("I1: a send of which the device was killed counts once the server had accepted it", () => {
  const hand = new Hand().invoke("alice", "bob", "a1").ended("alice", "a1", "info");
  hand.line("alice", "bob", ["alice", "a1"], { status: "sent" });
  expect(broken(hand.done())).toContain("I1");
});

test("I1: the server says accepted only of what its store has said to be durable", () => {
  const hand = new Hand().add("server", { f: "durable", mark: 2 });
  hand.add("server", { f: "stored", envelopes: ["e1"] });
  hand.add("server", { f: "accepted", envelopes: ["e1"], mark: 1 });
  expect(broken(hand.events)).toEqual([]);
  hand.add("server", { f: "accepted", envelopes: ["e2"], mark: 2 });
  expect(broken(hand.add("server", { f: "stored", envelopes: ["e2"] }).events)).toEqual(["I1"]);
});

test("I1: the server answers no commit before its disk has it, also after an old copy was put back", () => {
  const hand = new Hand().add("server", { f: "durable", mark: 7 });
  hand.add("server", { f: "accepted", envelopes: [], mark: 7 });
  expect(broken(hand.events)).toEqual([]);
  const ahead = { f: "accepted", envelopes: [], mark: 8 } as const;
  expect(broken([...hand.events, { seq: 9, at: 0, who: "server", ...ahead }])).toEqual(["I1"]);
  hand.add("server", { f: "fault", fault: "copy put back", detail: "" });
  hand.add("server", { f: "accepted", envelopes: [], mark: 5 });
  expect(broken(hand.events)).toEqual(["I1"]);
});

test("I3: what comes to a device is what a device had sent, to the byte", () => {
  const hand = new Hand().add("alice", { f: "offered", envelopes: ["e1", "e2"], sums: [1, 2] });
  const deliver = { f: "deliver", connection: "bob#1" } as const;
  hand.add("bob", { ...deliver, first: 1, envelopes: ["e1", "e2"], sums: [1, 2] });
  // Of somebody who is no part of the history.
  hand.add("bob", { ...deliver, first: 3, envelopes: ["e9"], sums: [undefined] });
  expect(broken(hand.events)).toEqual([]);
  hand.add("bob", { ...deliver, first: 4, envelopes: ["e2"], sums: [1] });
  expect(broken(hand.events)).toEqual(["I3"]);
});

test("I2: a message that is announced twice on one device is a duplicate", () => {
  const hand = new Hand().whole("alice", "bob", "a1").show("bob", "alice", "a1");
  expect(broken(hand.done())).toEqual(["I2"]);
});

test("I2: a text that stands twice in a list is a duplicate, under whatever id", () => {
  const hand = new Hand().whole("alice", "bob", "a1");
  hand.line("bob", "alice", ["alice", "a1"], { messageId: "id-again" });
  expect(broken(hand.done())).toEqual(["I2"]);
});

test("I3: a message that nobody sent is from nowhere", () => {
  const hand = new Hand().whole("alice", "bob", "a1").show("bob", "alice", "a2");
  expect(broken(hand.done())).toEqual(["I3"]);
});

test("I3: a text that changed on its way is from nowhere", () => {
  const hand = new Hand().whole("alice", "bob", "a1").whole("alice", "bob", "a2");
  hand.show("bob", "alice", "a2", { messageId: "id-other", hash: "hash-other" });
  expect(broken(hand.done())).toEqual(["I3"]);
});

test("I3: a message in the wrong conversation, or from the wrong person, is from nowhere", () => {
  const misplaced = new Hand().whole("alice", "bob", "a1").show("carol", "alice", "a1");
  expect(broken(misplaced.done())).toEqual(["I3"]);
  const misattributed = new Hand().whole("alice", "bob", "a1");
  misattributed.line("bob", "alice", ["bob", "a1"], { messageId: "id-2", status: undefined });
  expect(broken(misattributed.done())).toContain("I3");
});

test("I3: a send that was definitely refused is never shown", () => {
  const hand = new Hand().invoke("alice", "bob", "a1").ended("alice", "a1", "fail");
  expect(broken(hand.show("bob", "alice", "a1").done())).toEqual(["I3"]);
});

test("I3: a send of which the device was killed goes the same way on both devices", () => {
  const one = new Hand().invoke("alice", "bob", "a1").ended("alice", "a1", "info");
  expect(broken(one.line("bob", "alice", ["alice", "a1"]).done())).toEqual(["I3"]);
  const neither = new Hand().invoke("alice", "bob", "a1").ended("alice", "a1", "info");
  expect(broken(neither.done())).toEqual([]);
});

test("I4: what one writer sent one after the other stands in that order", () => {
  const hand = new Hand();
  for (const key of ["a1", "a2"]) {
    hand.invoke("alice", "bob", key).saved("alice", key).status("alice", key, "sent");
    hand.show("bob", "alice", key).read("bob", key).status("alice", key, "read");
  }
  for (const key of ["a2", "a1"])
    hand.line("alice", "bob", ["alice", key]).line("bob", "alice", ["alice", key]);
  expect(broken(hand.done())).toEqual(["I4"]);
});

test("I4: two devices show what both hold in one order", () => {
  const hand = new Hand();
  for (const [from, to, key] of [
    ["alice", "bob", "a1"],
    ["bob", "alice", "b1"],
  ] as const) {
    hand.invoke(from, to, key).saved(from, key).status(from, key, "sent");
    hand.show(to, from, key).read(to, key).status(from, key, "read");
  }
  hand.line("alice", "bob", ["alice", "a1"]).line("alice", "bob", ["bob", "b1"]);
  hand.line("bob", "alice", ["bob", "b1"]).line("bob", "alice", ["alice", "a1"]);
  expect(broken(hand.done())).toEqual(["I4"]);
});

test("I4: a linked reply never stands above its parent", () => {
  const hand = new Hand().whole("alice", "bob", "a1").whole("bob", "alice", "b1");
  const order: [string, string, object][] = [
    ["bob", "b1", { replyTo: "id-a1" }],
    ["alice", "a1", {}],
  ];
  const early = new Hand();
  for (const event of hand.events) early.add(event.who, event);
  for (const [from, key, more] of order) early.line("bob", "alice", [from, key], more);
  expect(broken(early.list("bob", "alice", { final: false }).events)).toContain("I4");
});

function acked(...order: ("deliver" | "begin" | "end" | "ack")[]): readonly HistoryEvent[] {
  const hand = new Hand();
  for (const step of order)
    if (step === "deliver")
      hand.add("bob", { f: "deliver", connection: "bob#1", first: 1, envelopes: ["e1", "e2"] });
    else if (step === "ack") hand.add("bob", { f: "ack", connection: "bob#1", upTo: 2 });
    else hand.add("bob", { f: "commit", type: step === "begin" ? "invoke" : "ok", op: 1 });
  return hand.events;
}

test("I6: an ack comes behind a commit that was begun after what it covers had come", () => {
  expect(broken(acked("deliver", "begin", "end", "ack"))).toEqual([]);
  expect(broken(acked("deliver", "ack", "begin", "end"))).toEqual(["I6"]);
  expect(broken(acked("deliver", "begin", "ack", "end"))).toEqual(["I6"]);
  expect(broken(acked("begin", "deliver", "end", "ack"))).toEqual(["I6"]);
  expect(broken(acked("begin", "end", "ack", "deliver"))).toEqual(["I6"]);
});

test("I6: no row leaves a mailbox before its device has acknowledged it", () => {
  const hand = new Hand().add("bob", {
    ...{ f: "deliver", connection: "bob#1", first: 1, envelopes: ["e1", "e2"] },
  } as never);
  hand.add("server", { f: "acked", connection: "bob#1", upTo: 1 });
  hand.add("server", { f: "remove", mailbox: "bob", envelopes: ["e1"] });
  expect(broken(hand.events)).toEqual([]);
  hand.add("server", { f: "remove", mailbox: "bob", envelopes: ["e2"] });
  expect(broken(hand.events)).toEqual(["I6"]);
});

test("I7: a status never goes backwards, in what is told and in what is listed", () => {
  const told = new Hand().whole("alice", "bob", "a1").status("alice", "a1", "delivered");
  expect(broken(told.done())).toEqual(["I7"]);
  const listed = new Hand().whole("alice", "bob", "a1").whole("alice", "bob", "a2").events;
  const later = new Hand();
  for (const event of listed) later.add(event.who, event);
  later.line("alice", "bob", ["alice", "a1"], { status: "sent" });
  expect(broken(later.list("alice", "bob", { final: false }).events)).toContain("I7");
});

test("I7: delivered comes only once the recipient holds it, read only once it was seen there", () => {
  const hand = () => new Hand().invoke("alice", "bob", "a1").saved("alice", "a1");
  const early = hand().status("alice", "a1", "delivered").show("bob", "alice", "a1");
  expect(broken(early.events)).toContain("I7");
  const unseen = hand().show("bob", "alice", "a1").status("alice", "a1", "read");
  expect(broken(unseen.read("bob", "a1").events)).toContain("I7");
});

test("I7: there is no status of a message that was never sent", () => {
  expect(broken(new Hand().status("alice", "a1", "delivered").events)).toEqual(["I7"]);
});

test("I12: a hole that is left in the end was undecryptable", () => {
  const hand = new Hand().whole("alice", "bob", "a1").list("alice", "bob");
  expect(broken(hand.list("bob", "alice", { holes: 2 }).events)).toEqual(["I12"]);
});

test("I15: in the end every message is read and every mailbox empty", () => {
  const hand = new Hand().invoke("alice", "bob", "a1").saved("alice", "a1");
  hand.status("alice", "a1", "sent").show("bob", "alice", "a1").status("alice", "a1", "delivered");
  hand.line("alice", "bob", ["alice", "a1"], { status: "delivered" });
  expect(broken(hand.line("bob", "alice", ["alice", "a1"]).done())).toEqual(["I15"]);
  const full = new Hand().whole("alice", "bob", "a1");
  full.add("server", { f: "waiting", mailbox: "bob", envelopes: 1 });
  expect(broken(full.done())).toEqual(["I15"]);
});
