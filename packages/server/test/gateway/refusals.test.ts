import { CloseCode, ErrorCode } from "@parley/protocol";
import { expect, test } from "vitest";
import { NO_METRICS } from "../../src/ports/metrics.ts";
import { SETTINGS_DEFAULT } from "../../src/settings.ts";
import { connect, testServer } from "../fixtures/embedded.ts";
import { logTo } from "../fixtures/store.ts";

test("what protects the server's memory refuses in a dry run too, and is counted and named", async () => {
  const refused: string[] = [];
  const lines: string[] = [];
  const server = testServer({
    config: {
      ...{ connectionsMax: 1, requestsMax: 1, bufferedBytesMax: 10 },
      limits: { ...SETTINGS_DEFAULT.limits, dryRun: true },
    },
    metrics: { ...NO_METRICS, refused: (limit, isDryRun) => refused.push(`${limit} ${isDryRun}`) },
    log: logTo(lines),
  });
  const wire = { bufferedBytes: 0, probes: 0 };
  const client = connect(server, wire);
  expect((await connect(server).closed).code).toBe(CloseCode.OVERLOADED);

  const steps = [1, 2].map((step) =>
    client.request("takeLinkStep", {
      case: "takeLinkStep",
      value: { address: new Uint8Array(16), step, waitMs: 60_000 },
    }),
  );
  await expect(steps[1]).rejects.toMatchObject({ code: ErrorCode.BUSY });
  wire.bufferedBytes = 11;
  client.sendRaw(Uint8Array.of(0xff));
  expect((await client.closed).code).toBe(CloseCode.SLOW_READER);

  expect(refused).toEqual(["connectionsMax false", "requestsMax false", "bufferedBytesMax false"]);
  const told = lines.filter((line) => line.startsWith("refused"));
  expect(told.map((line) => JSON.parse(line.slice("refused ".length)))).toEqual(
    ["connectionsMax", "requestsMax", "bufferedBytesMax"].map((limit) => ({
      ...{ limit, count: 1, isDryRun: false },
    })),
  );
});
