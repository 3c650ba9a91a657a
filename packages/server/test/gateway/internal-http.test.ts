import type { AddressInfo } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { Readiness } from "../../src/core/readiness.ts";
import { createHttp } from "../../src/gateway/http.ts";
import { createInternalHttp } from "../../src/gateway/internal-http.ts";
import type { Finding } from "../../src/ports/health-check.ts";
import { ManualClock } from "../fixtures/manual-clock.ts";

const SILENT = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

async function ports() {
  const state = { finding: { isOk: true, detail: "writable" } as Finding, isStarted: false };
  const readiness = new Readiness({ clock: new ManualClock(), log: SILENT }, [
    { name: "store", look: () => state.finding },
  ]);
  const internal = createInternalHttp({
    readiness,
    isStarted: () => state.isStarted,
    exposition: async () => ({ contentType: "text/plain; version=0.0.4", text: "up 1\n" }),
  });
  const open = createHttp(readiness);
  const urls = await Promise.all(
    [internal, open].map(async (app) => {
      await app.listen({ host: "127.0.0.1", port: 0 });
      onTestFinished(() => app.close());
      return `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`;
    }),
  );
  return { state, readiness, internal: urls[0] as string, open: urls[1] as string };
}

test("the internal port tells what is counted, in the type that Prometheus asks for", async () => {
  const { internal } = await ports();
  const answer = await fetch(`${internal}/metrics`);
  expect([answer.status, answer.headers.get("content-type")]).toEqual([
    200,
    "text/plain; version=0.0.4",
  ]);
  expect(await answer.text()).toBe("up 1\n");
});

test("probes answer by their status; the internal ones say why, the public one does not", async () => {
  const { state, readiness, internal, open } = await ports();
  const asked = async (url: string) => {
    const answer = await fetch(url);
    return [answer.status, await answer.text()];
  };
  expect(await asked(`${internal}/startupz`)).toEqual([503, '{"status":"starting"}']);
  state.isStarted = true;
  expect(await asked(`${internal}/startupz`)).toEqual([200, '{"status":"started"}']);
  expect(await asked(`${internal}/livez`)).toEqual([200, '{"status":"live"}']);
  expect(await asked(`${open}/livez`)).toEqual([200, "ok\n"]);
  expect(await asked(`${open}/readyz`)).toEqual([200, "ready\n"]);

  state.finding = { isOk: false, detail: "the disk is full" };
  readiness.forget();
  expect(await asked(`${open}/readyz`)).toEqual([503, "not ready\n"]);
  const [status, body] = await asked(`${internal}/readyz`);
  expect([status, JSON.parse(body as string)]).toEqual([
    503,
    {
      status: "not ready",
      checks: [{ name: "store", ok: false, detail: "the disk is full" }],
    },
  ]);
  expect((await asked(`${open}/livez`))[0]).toBe(200);
});

test("the public port has no metrics", async () => {
  const { open } = await ports();
  for (const path of ["/metrics", "/startupz"])
    expect((await fetch(`${open}${path}`)).status).toBe(404);
});
