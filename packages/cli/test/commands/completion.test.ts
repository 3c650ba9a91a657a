import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { commandsOf, commandTree } from "../../src/completion/command-tree.ts";
import { program } from "../../src/program.ts";
import { Person } from "../fixtures/person.ts";
import { temporaryFolder } from "../fixtures/temporary-folder.ts";

type Shell = "bash" | "zsh" | "fish";

async function scriptOf(shell: Shell): Promise<string> {
  const ran = await new Person("alice").run("completion", shell);
  expect([ran.status, ran.stderr]).toEqual([0, ""]);
  const file = join(temporaryFolder(), `completion.${shell}`);
  writeFileSync(file, ran.stdout);
  return file;
}

/** Runs the shell's own completion of what is typed; what it offers, one a line. */
function offered(shell: Shell, script: string, typed: readonly string[], cwd = "/"): string[] {
  const { stdout, stderr, error } = spawnSync(shell, ["-c", ASK[shell], script, ...typed], {
    encoding: "utf8",
    cwd,
  });
  if (error) throw error;
  expect(stderr).toBe("");
  return stdout
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => line.split(/[\t:]/)[0] ?? "")
    .sort();
}

const ASK: Record<Shell, string> = {
  bash: `source "$0"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _parley; printf '%s\\n' "\${COMPREPLY[@]}"`,
  // Without a terminal zsh offers nothing: its own words for it print what they are given.
  zsh: `compdef() { }
    _describe() { print -l -- \${(PM)2:#\${words[CURRENT]}*} }
    compadd() { shift; print -l -- \${(M)@:#\${words[CURRENT]}*} }
    _files() { if [[ "$1" = -/ ]]; then print -l -- *(/); else print -l -- *; fi }
    source "$0"; words=("$@"); CURRENT=$#; _parley`,
  fish: `source $argv[1]; complete -C (string join ' ' -- $argv[2..])`,
};

function testIn(shell: Shell, name: string, run: () => Promise<void>): void {
  const isThere = spawnSync(shell, ["-c", "true"]).status === 0;
  if (isThere || process.env["CI"] !== undefined) test(`${shell} ${name}`, run);
  else {
    process.stderr.write(`\nNOT RUN: "${shell} ${name}" needs ${shell} (Debian package)\n`);
    test.skip(`${shell} ${name}`, () => undefined);
  }
}

for (const shell of ["bash", "zsh", "fish"] as const)
  testIn(shell, "completes commands, options, choices, files and folders", async () => {
    const script = await scriptOf(shell);
    const folder = temporaryFolder();
    mkdirSync(join(folder, "sub"));
    writeFileSync(join(folder, "sum.toml"), "");
    const offers = (...typed: string[]) => offered(shell, script, ["parley", ...typed], folder);
    const bare = (word: string) => word.replace(/\/$/, "");

    expect(offers("se")).toEqual(["send", "serve"]);
    expect(offers("config", "")).toEqual(expect.arrayContaining(["check", "default", "docs"]));
    expect(offers("config", "check", "--da")).toEqual(["--data"]);
    expect(offers("serve", "--port", "1", "--da")).toEqual(["--data"]);
    expect(offers("serve", "--port", "")).toEqual([]);
    expect(offers("send", "--wait", "de")).toEqual(["delivered"]);
    expect(offers("completion", "ba")).toEqual(["bash"]);
    expect(offers("serve", "--data", "su").map(bare)).toEqual(["sub"]);
    expect(offers("serve", "--config", "su").map(bare)).toEqual(["sub", "sum.toml"]);
    // A handle may be called as a command is.
    expect(offers("chat", "config", "--key")).toEqual(["--key-file"]);
  });

test("every command and option of the program is offered", () => {
  const nodes = commandsOf(commandTree(program()));
  expect(nodes.map(({ path }) => path)).toEqual(
    expect.arrayContaining(["", "serve", "contacts accept", "config check", "completion"]),
  );
  for (const { options } of nodes) expect(options.map(({ flag }) => flag)).toContain("--help");
});

test("a shell that is none of them is wrong usage", async () => {
  expect((await new Person("alice").run("completion", "tcsh")).status).toBe(64);
});
