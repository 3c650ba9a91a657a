import { type Command, InvalidArgumentError } from "commander";
import { askServer } from "../ask-server.ts";
import { examples } from "../device-command.ts";
import { outputOf } from "../output.ts";
import { count } from "./numbers.ts";

interface Options {
  readonly data?: string;
  readonly json?: true;
}

interface CreateOptions extends Options {
  readonly uses: number;
  /** Null: never. */
  readonly expires: number | null;
}

interface Open {
  readonly id: number;
  readonly uses: number;
  readonly usesLeft: number;
  readonly createdAtMs: number;
  readonly expiresAtMs?: number;
}

interface Given extends Pick<Open, "id" | "uses" | "expiresAtMs"> {
  readonly code: string;
  readonly signUp: "open" | "invitation" | "closed";
  readonly address?: string;
}

const DAY_MS = 24 * 60 * 60 * 1000;

export function addInvitations(parley: Command): void {
  const invitations = parley
    .command("invitations")
    .description("let people sign up on a server of yours, while it runs")
    .addHelpText(
      "after",
      examples(
        "parley invitations create",
        "parley invitations create --uses 20 --expires 30 --data /srv/parley",
        "parley invitations revoke 3",
      ),
    )
    .addHelpText("after", "\nStatus 69: no server runs on that folder.");
  command(invitations, "create")
    .description("a new code, shown this once")
    .option("--uses <n>", "how many may sign up with it", count, 1)
    .option(
      "--expires <days>",
      "good for so long; never: until it is used up",
      lifetime,
      7 * DAY_MS,
    )
    .action(create);
  command(invitations, "list").description("what may still be used, without codes").action(list);
  command(invitations, "revoke")
    .argument("<id>", "as list shows it", count)
    .description("nobody signs up with it any more")
    .action(revoke);
}

function command(invitations: Command, nameAndArguments: string): Command {
  return invitations
    .command(nameAndArguments)
    .option("--data <dir>", "the server's data folder (default: PARLEY_DATA, else ./data)")
    .option("--json", "one JSON object a line, nothing else on standard output");
}

async function create({ uses, expires, ...options }: CreateOptions): Promise<void> {
  const body = { uses, lifetimeMs: expires };
  const question = { method: "POST", path: "/invitations", body } as const;
  const given = (await askServer(dataOf(options), question)) as Given;
  const { signUp, address, ...shown } = given;
  outputOf(options).print({ ...shown, address }, () => createdText(given));
  if (signUp !== "invitation")
    process.stderr.write(`Sign-up is ${signUp} on this server: --sign-up invitation asks for it\n`);
}

async function list(options: Options): Promise<void> {
  const question = { method: "GET", path: "/invitations" } as const;
  const { invitations } = (await askServer(dataOf(options), question)) as {
    readonly invitations: readonly Open[];
  };
  const output = outputOf(options);
  for (const open of invitations) output.print(open, () => openLine(open));
  if (invitations.length === 0 && !output.json) process.stderr.write("No invitation is open\n");
}

async function revoke(id: number, options: Options): Promise<void> {
  await askServer(dataOf(options), { method: "DELETE", path: `/invitations/${id}` });
  outputOf(options).print({ id, revoked: true }, () => `Revoked: ${id}`);
}

/** As the server finds it, but for a configuration file. */
function dataOf({ data }: Options): string {
  const { PARLEY__SERVER__DATA, PARLEY_DATA } = process.env;
  return data ?? PARLEY__SERVER__DATA ?? PARLEY_DATA ?? "./data";
}

function lifetime(typed: string): number | null {
  if (typed === "never") return null;
  const days = Number(typed);
  if (typed.trim() === "" || !(days > 0 && days <= 3660))
    throw new InvalidArgumentError('Not a number of days up to 3660, and not "never".');
  return Math.round(days * DAY_MS);
}

function createdText({ id, code, uses, expiresAtMs, address }: Given): string {
  const whom = uses === 1 ? "one person" : `${uses} people`;
  return [
    `${code}  (${id}, for ${whom}, ${until(expiresAtMs)})`,
    "",
    `They type: parley signup --server ${address ?? "URL"} --handle NAME --invitation ${code}`,
  ].join("\n");
}

function openLine({ id, uses, usesLeft, expiresAtMs }: Open): string {
  return `${id}  ${usesLeft} of ${uses} left, ${until(expiresAtMs)}`;
}

function until(expiresAtMs: number | undefined): string {
  if (expiresAtMs === undefined) return "for ever";
  return `until ${new Date(expiresAtMs).toISOString().slice(0, 16).replace("T", " ")} UTC`;
}
