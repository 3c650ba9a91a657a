import type { DeviceOptions } from "./device-command.ts";
import { toSafeJson } from "./terminal/neutralise.ts";

/** Standard output: for programs one JSON object a line, for people what `text` says. */
export interface Output {
  readonly json: boolean;
  print(object: object, text: () => string | undefined): void;
}

export function outputOf(options: DeviceOptions): Output {
  const json = options.json === true;
  return {
    json,
    print: (object, text) => {
      const line = json ? toSafeJson(object) : text();
      if (line !== undefined) process.stdout.write(`${line}\n`);
    },
  };
}

/** For the person, beside the output; a program that reads JSON is not bothered. */
export function note(output: Output, text: string): void {
  if (!output.json) process.stderr.write(`${text}\n`);
}
