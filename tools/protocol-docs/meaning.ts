import type { AnyDesc, DescFile } from "@bufbuild/protobuf";
import { getComments } from "@bufbuild/protoplugin";

/** The comment above a part of the schema, on one line, fit for a cell of a table. */
export function meaningOf(descriptor: Exclude<AnyDesc, DescFile>): string {
  const comment = getComments(descriptor).leading ?? "";
  return comment.replace(/\s+/g, " ").trim().replaceAll("||", "‖").replaceAll("|", "\\|");
}
