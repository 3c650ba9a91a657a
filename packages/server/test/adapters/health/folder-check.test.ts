import { readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { folderCheck } from "../../../src/adapters/health/folder-check.ts";
import { testFolder } from "../../fixtures/embedded.ts";

test("a folder that takes bytes is writable, and nothing of the check stays", async () => {
  const folder = testFolder();
  expect(await folderCheck(folder).look()).toEqual({ isOk: true, detail: "writable" });
  expect(readdirSync(folder)).toEqual([]);
});

test("a folder that is gone is not, and its name is not told", async () => {
  const finding = await folderCheck(join(testFolder(), "gone")).look();
  expect(finding).toEqual({ isOk: false, detail: "cannot be written (ENOENT)" });
});
