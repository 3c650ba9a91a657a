/**
 * Resolves once all that was put out has left this process. A pipe whose reader is slow takes no more than its
 * buffer holds; the rest would be lost with the process. Never where the reader is gone: then the process
 * ends (main.ts).
 */
export function flushed(): Promise<void> {
  return new Promise((resolve) => {
    process.stdout.write("", (cause) => {
      if (!cause) resolve();
    });
  });
}
