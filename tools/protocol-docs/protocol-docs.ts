import { closeCodes, labels } from "./code-tables.ts";
import { fixedLimits, serverLimits } from "./limits.ts";
import { prose } from "./pages.ts";
import { fileOf, reference, schemaFiles } from "./reference.ts";
import { requestsTable } from "./requests.ts";
import { checkLinks, tableOfContents } from "./table-of-contents.ts";
import { shortVectors } from "./vectors/protocol-vectors.ts";

const CONTENTS = "<!-- contents -->";
const REQUESTS = "<!-- requests -->";

/** docs/PROTOCOL.md: the prose, and all that the schema and the code say. */
export function protocolDocs(): string {
  const files = schemaFiles();
  const chapters = prose({
    contents: () => CONTENTS,
    requests: () => REQUESTS,
    "close codes": closeCodes,
    "fixed limits": fixedLimits,
    limits: serverLimits,
    labels,
    vectors: shortVectors,
  });
  const page = `${chapters}\n\n${reference(files)}\n`.replace(
    REQUESTS,
    requestsTable(fileOf(files, "wire/v1/frame"), chapters),
  );
  const whole = page.replace(CONTENTS, tableOfContents(page));
  checkLinks(whole);
  return whole;
}
