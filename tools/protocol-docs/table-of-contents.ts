interface Heading {
  readonly level: number;
  readonly title: string;
  readonly slug: string;
}

/** A list of the chapters and their sections, each a link. */
export function tableOfContents(page: string): string {
  const lines = headingsOf(page)
    .filter(({ level }) => level <= 2)
    .slice(1) // The page's own title.
    .map(({ level, title, slug }) => `${level === 1 ? "" : "  "}- [${title}](#${slug})`);
  return lines.join("\n");
}

/** Throws where a link within the page leads nowhere. */
export function checkLinks(page: string): void {
  const known = new Set(headingsOf(page).map(({ slug }) => slug));
  const dead = [...page.matchAll(/\]\(#([^)]+)\)/g)].flatMap(([, slug = ""]) =>
    known.has(slug) ? [] : [slug],
  );
  if (dead.length > 0) throw new Error(`PROTOCOL.md links to what it has not: ${dead.join(", ")}`);
}

function headingsOf(page: string): Heading[] {
  const seen = new Map<string, number>();
  return [...page.matchAll(/^(#{1,3}) (.+)$/gm)].map(([, marks = "", title = ""]) => {
    const plain = slugOf(title);
    const count = seen.get(plain) ?? 0;
    seen.set(plain, count + 1);
    return { level: marks.length, title, slug: count === 0 ? plain : `${plain}-${count}` };
  });
}

/** As GitHub makes anchors of headings. */
function slugOf(title: string): string {
  return title
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, "")
    .replaceAll(" ", "-");
}
