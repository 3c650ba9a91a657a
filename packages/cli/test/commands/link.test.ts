import { expect, test } from "vitest";
import { JsonProcess } from "../fixtures/json-process.ts";
import { type Meeting, twoContacts } from "../fixtures/people.ts";
import { Person } from "../fixtures/person.ts";

/** Both sides up to the digits. */
async function meet({ server, alice }: Meeting) {
  const tablet = new Person("tablet");
  const offering = tablet.spawn(
    "link",
    "--server",
    server.url,
    "--device-name",
    "tablet",
    "--json",
  );
  const fresh = new JsonProcess(offering);
  const { code } = await fresh.until((each) => "code" in each);
  const taking = alice.spawn("link", String(code), "--json");
  const old = new JsonProcess(taking);
  const [{ digits: shownByOld }, { digits: shownByNew }] = await Promise.all([
    old.until((each) => "digits" in each),
    fresh.until((each) => "digits" in each),
  ]);
  expect(shownByOld).toMatch(/^\d{6}$/);
  expect(shownByNew).toBe(shownByOld);
  return { tablet, fresh, old, offering, taking, digits: String(shownByNew) };
}

test("link makes a further device, which knows whom the account knows, and writes", async () => {
  const meeting = await twoContacts();
  const { alice, bob, accounts } = meeting;
  await alice.json("send", "bob", "before");
  const { tablet, fresh, old, offering, taking, digits } = await meet(meeting);
  offering.stdin.write(`${digits.slice(0, 3)} ${digits.slice(3)}\n`);
  taking.stdin.write(`${digits}\n`);
  await Promise.all([fresh.ended(), old.ended()]);
  expect([fresh.status, fresh.stderr, old.status, old.stderr]).toEqual([0, "", 0, ""]);
  const accountId = accounts.alice["accountId"];
  expect(fresh.objects.at(-1)).toMatchObject({ accountId, handle: "alice", deviceId: 2 });
  expect(old.objects.at(-1)).toEqual({ deviceId: 2 });

  expect(await tablet.json("contacts")).toMatchObject([{ handle: "bob", state: "accepted" }]);
  expect(await tablet.json("devices")).toMatchObject([
    { deviceId: 1, thisDevice: false },
    { deviceId: 2, name: "tablet", thisDevice: true },
  ]);
  await tablet.json("send", "bob", "from the tablet");
  const texts = async (person: Person, other: string) =>
    (await person.json("history", other)).map(({ text }) => text);
  await bob.json("listen", "--for", "1");
  expect(await texts(bob, "alice")).toEqual(["before", "from the tablet"]);
  await alice.json("listen", "--for", "1");
  expect(await texts(alice, "bob")).toEqual(["before", "from the tablet"]);

  expect(await alice.json("devices", "remove", "2")).toMatchObject([{ deviceId: 1 }]);
  const shutOut = await tablet.run("send", "bob", "still here?");
  expect(shutOut.status).toBe(77);
});

test("link ends with 77 where the digits differ or none are typed, and links nothing", async () => {
  const meeting = await twoContacts();
  const wrong = await meet(meeting);
  wrong.offering.stdin.write(wrong.digits === "000000" ? "111111\n" : "000000\n");
  wrong.taking.stdin.end();
  await Promise.all([wrong.fresh.ended(), wrong.old.ended()]);
  expect([wrong.fresh.status, wrong.old.status]).toEqual([77, 77]);
  expect(wrong.fresh.stderr).toContain("different digits");
  expect(await meeting.alice.json("devices")).toHaveLength(1);
  expect((await wrong.tablet.run("contacts")).status).toBe(64);
});

test("link says what is wrong with a code, and that one of both is to be given", async () => {
  const { alice, server } = await twoContacts();
  expect((await alice.run("link", "ABC")).status).toBe(65);
  expect((await alice.run("link", "0".repeat(52))).status).toBe(77);
  expect((await alice.run("link")).status).toBe(64);
  expect((await alice.run("link", "ABC", "--server", server.url)).status).toBe(64);
  expect((await alice.run("devices", "remove", "x")).status).toBe(64);
  expect((await alice.run("devices", "remove", "7")).status).toBe(77);
});
