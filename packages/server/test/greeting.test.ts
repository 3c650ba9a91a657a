import { resolve } from "node:path";
import { expect, test } from "vitest";
import { CONFIG_DEFAULT } from "../src/config/config.ts";
import { greeting } from "../src/greeting.ts";
import type { ServerSettings } from "../src/settings.ts";

const invitation = { id: 1, code: "AAAA-BBBB-CCCC-DDDD", uses: 1, expiresAtMs: undefined };

function greeted(settings: Partial<ServerSettings>, more: Partial<typeof CONFIG_DEFAULT> = {}) {
  const config = {
    ...CONFIG_DEFAULT,
    ...more,
    settings: { ...CONFIG_DEFAULT.settings, ...settings },
  };
  return (given?: typeof invitation) => greeting({ config, port: 7420, invitation: given });
}

test("says where it listens, where its data is, and what to type next", () => {
  expect(greeted({ signUp: "open" })()).toBe(
    "Parley listens on http://127.0.0.1:7420\n" +
      `Data folder: ${resolve("./data")}\n` +
      "Next, in another terminal: npx parley signup --server http://127.0.0.1:7420 --handle NAME\n",
  );
});

test("gives the first person a code, and the whole command under the address for clients", () => {
  const origins = ["https://chat.example", "https://chat.example.org"];
  const said = greeted({ signUp: "invitation", origins }, { host: "::" })(invitation);
  expect(said).toContain("Parley listens on http://[::]:7420\n");
  expect(said).toContain(": AAAA-BBBB-CCCC-DDDD\n");
  expect(said).toContain(
    "npx parley signup --server https://chat.example --handle NAME --invitation AAAA-BBBB-CCCC-DDDD\n",
  );
});

test("says how to let others in, or that nobody may come", () => {
  expect(greeted({ signUp: "invitation" }, { dataFolder: "/srv/parley" })()).toContain(
    "npx parley invitations create --data /srv/parley\n",
  );
  expect(greeted({ signUp: "invitation" }, { dataFolder: "/srv/it's here" })()).toContain(
    "--data '/srv/it'\\''s here'\n",
  );
  expect(greeted({ signUp: "closed" })()).toContain("Sign-up is closed");
});
