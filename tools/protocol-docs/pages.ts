import fs from "node:fs";

/** The prose, in the order in which a reader meets it: each a file of `pages/`. */
const PAGES = [
  "introduction",
  "frames",
  "connecting",
  "accounts",
  "mail",
  "requests",
  "errors",
  "limits",
  "live",
  "sessions",
  "content",
  "groups",
  "files",
  "labels",
] as const;

/** What stands as `{{name}}` in the prose is replaced by what the code says. Throws where a name is not known. */
export function prose(parts: Readonly<Record<string, () => string>>): string {
  const texts = PAGES.map((name) =>
    fs.readFileSync(new URL(`pages/${name}.md`, import.meta.url), "utf8").trim(),
  );
  return texts.join("\n\n").replace(/\{\{([^}]+)\}\}/g, (_, name: string) => {
    const part = parts[name];
    if (part === undefined) throw new Error(`nothing is known as {{${name}}}`);
    return part();
  });
}
