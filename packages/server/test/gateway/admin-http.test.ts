import { expect, test } from "vitest";
import { createAdminHttp } from "../../src/gateway/admin-http.ts";
import { ORIGIN, testServer } from "../fixtures/embedded.ts";
import { ManualClock } from "../fixtures/manual-clock.ts";

const DAY_MS = 24 * 60 * 60 * 1000;

function admin() {
  const clock = new ManualClock();
  const server = testServer({ clock, config: { origins: [ORIGIN], signUp: "invitation" } });
  const { invitations, settings } = server;
  return { app: createAdminHttp({ invitations, settings }), clock };
}

test("makes an invitation for one, good for seven days, unless it is told otherwise", async () => {
  const { app, clock } = admin();
  const made = await app.inject({ method: "POST", url: "/invitations", payload: {} });
  expect(made.statusCode).toBe(201);
  expect(made.json()).toEqual({
    id: 1,
    code: expect.stringMatching(/^(\w{4}-){3}\w{4}$/),
    uses: 1,
    expiresAtMs: clock.now() + 7 * DAY_MS,
    signUp: "invitation",
    address: ORIGIN,
  });
  const payload = { uses: 30, lifetimeMs: null };
  const lasting = await app.inject({ method: "POST", url: "/invitations", payload });
  expect(lasting.json()).toMatchObject({ id: 2, uses: 30 });
  expect(lasting.json()).not.toHaveProperty("expiresAtMs");
});

test("lists what is open, without codes, and revokes", async () => {
  const { app, clock } = admin();
  for (const uses of [1, 2])
    await app.inject({ method: "POST", url: "/invitations", payload: { uses } });
  const revoked = await app.inject({ method: "DELETE", url: "/invitations/1" });
  expect(revoked.statusCode).toBe(204);
  const listed = await app.inject({ url: "/invitations" });
  const [createdAtMs, expiresAtMs] = [clock.now(), clock.now() + 7 * DAY_MS];
  const rest = { uses: 2, usesLeft: 2, createdAtMs, expiresAtMs };
  expect(listed.json()).toEqual({ invitations: [{ id: 2, ...rest }] });
  const gone = await app.inject({ method: "DELETE", url: "/invitations/1" });
  expect([gone.statusCode, gone.json()]).toEqual([404, { error: "no such invitation is open" }]);
});

test.each([
  [{ uses: 0 }, "uses"],
  [{ uses: 10_001 }, "uses"],
  [{ uses: 1.5 }, "uses"],
  [{ lifetimeMs: 1 }, "lifetimeMs"],
  [{ lifetimeMs: 1e15 }, "lifetimeMs"],
])("refuses %j", async (payload, named) => {
  const answer = await admin().app.inject({ method: "POST", url: "/invitations", payload });
  expect(answer.statusCode).toBe(400);
  expect(answer.json().error).toContain(named);
});
