/**
 * `node run-plants.ts`: plants each bug into a copy of the sources of its own, in memory, and plays its scenario.
 * Writes one JSON line: what each scenario came to without a bug, and with it.
 */
import { registerHooks } from "node:module";
import { fileURLToPath } from "node:url";
import type { Edit } from "./plants.ts";
import { PLANTS } from "./plants.ts";
import type { SCENARIOS } from "./scenarios.ts";

export interface PlantedRun {
  /** By scenario. Undefined: it held. */
  readonly unplanted: Readonly<Record<string, string | undefined>>;
  /** By bug. */
  readonly planted: Readonly<Record<string, string | undefined>>;
}

const PACKAGE = new URL("../../", import.meta.url).href;
const SOURCES = `${PACKAGE}src/`;

/** A query names the bug, and every module that is imported from there has it too: a graph for each. */
registerHooks({
  resolve(specifier, context, next) {
    const resolved = next(specifier, context);
    const bug = bugOf(context.parentURL);
    if (bug === null || !resolved.url.startsWith(PACKAGE) || bugOf(resolved.url) !== null)
      return resolved;
    return { ...resolved, url: withBug(resolved.url, bug) };
  },
  load(url, context, next) {
    const loaded = next(url, context);
    const edits = editsIn(url);
    if (edits.length === 0) return loaded;
    let source = String(
      typeof loaded.source === "string" ? loaded.source : new TextDecoder().decode(loaded.source),
    );
    for (const { file, find, replace } of edits) {
      if (source.split(find).length !== 2) throw new Error(`stands not once in ${file}: ${find}`);
      source = source.replace(find, () => replace);
    }
    return { ...loaded, source };
  },
});

const unplanted: Record<string, string | undefined> = {};
for (const scenario of new Set(PLANTS.map((each) => each.scenario)))
  unplanted[scenario] = await play(scenario, "none");
const planted: Record<string, string | undefined> = {};
for (const [index, { bug, scenario }] of PLANTS.entries())
  planted[bug] = await play(scenario, String(index));
const result: PlantedRun = { unplanted, planted };
console.log(JSON.stringify(result));

async function play(name: string, bug: string): Promise<string | undefined> {
  const file = new URL("scenarios.ts", import.meta.url).href;
  const module: { SCENARIOS: typeof SCENARIOS } = await import(withBug(file, bug));
  const scenario = module.SCENARIOS[name];
  if (scenario === undefined) throw new Error(`no scenario: ${name}`);
  try {
    await scenario();
    return undefined;
  } catch (cause) {
    return cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause);
  }
}

function bugOf(url: string | undefined): string | null {
  return url?.startsWith(PACKAGE) ? new URL(url).searchParams.get("bug") : null;
}

function withBug(url: string, bug: string): string {
  return `${url}?bug=${bug}`;
}

function editsIn(url: string): readonly Edit[] {
  const bug = bugOf(url);
  if (bug === null || !url.startsWith(SOURCES)) return [];
  const path = fileURLToPath(url).slice(fileURLToPath(SOURCES).length);
  return PLANTS[Number(bug)]?.edits.filter(({ file }) => file === path) ?? [];
}
