/** Store, logs, listeners, and whatever Node keeps open itself. */
export const OPEN_FILES_SLACK = 64;

/**
 * How many files and sockets this process may have open. Node raises its own limit to the hard one when it
 * starts, so no soft limit has to be looked at.
 */
export function openFilesMax(): number {
  const report = process.report as ProcessReport & { excludeNetwork: boolean };
  // Else it looks up the names of whoever is connected.
  report.excludeNetwork = true;
  const { userLimits } = report.getReport() as unknown as Report;
  const most = userLimits?.open_files?.soft;
  return typeof most === "number" ? most : Number.POSITIVE_INFINITY;
}

type ProcessReport = typeof process.report;

interface Report {
  readonly userLimits?: { readonly open_files?: { readonly soft: number | "unlimited" } };
}
