/** The linter is tested too: each file of lint-fixture breaks the rules that its first line names. */
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { outputOf, ROOT } from "./run.ts";

const FIXTURE = path.join(ROOT, "tools/lint-fixture");

/** Rules that a fixture breaks and the linter did not report, as lines; empty: all is well. */
export function missedRules(): string[] {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "parley-lint-"));
  try {
    // In a tree of its own, since the rules go by place and the main run must not see these files.
    fs.cpSync(FIXTURE, folder, { recursive: true });
    fs.copyFileSync(path.join(ROOT, "biome.json"), path.join(folder, "biome.json"));
    fs.copyFileSync(path.join(ROOT, "package.json"), path.join(folder, "package.json"));
    fs.symlinkSync(path.join(ROOT, "node_modules"), path.join(folder, "node_modules"));
    const args = [
      "lint",
      "--vcs-enabled=false",
      "--reporter=github",
      "--max-diagnostics=none",
      "packages",
    ];
    const reported = outputOf("biome", args, folder).split("\n");
    return sources(folder).flatMap((file) => missedIn(folder, file, reported));
  } finally {
    fs.rmSync(folder, { recursive: true });
  }
}

function missedIn(folder: string, file: string, reported: readonly string[]): string[] {
  const [first = ""] = fs.readFileSync(path.join(folder, file), "utf8").split("\n");
  const expected = first.replace("// expect: ", "").split(" ");
  return expected
    .filter((rule) => !reported.some((line) => line.includes(`/${rule},`) && line.includes(file)))
    .map((rule) => `${file}: ${rule} is broken there, and was not reported`);
}

function sources(folder: string): string[] {
  return fs
    .globSync("packages/**/*.ts", {
      cwd: folder,
      exclude: (name) => String(name).includes("node_modules"),
    })
    .map(String);
}
