import { type CommandNode, commandsOf, type OptionNode } from "./command-tree.ts";
import { shellQuoted } from "./shell-quoted.ts";

/** For bash 3.2 (macOS) and newer. */
export function bashCompletion(tree: CommandNode): string {
  const { name } = tree;
  const commands = commandsOf(tree);
  const steps = commands.slice(1).map(({ step }) => step);
  return `# ${name} for bash: eval "$(${name} completion bash)"
_${name}() {
  local IFS=$'\\n' at="" word
  local current=\${COMP_WORDS[COMP_CWORD]} before=\${COMP_WORDS[COMP_CWORD-1]}
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$at:$word" in
      ${steps.map(shellQuoted).join("|")}) at="\${at:+$at }$word" ;;
    esac
  done
  COMPREPLY=()
  case "$at:$before" in
${commands.flatMap(valueCases).join("\n")}
  esac
  case "$at" in
${commands.map((each) => `    ${shellQuoted(each.path)}) COMPREPLY=($(compgen -W ${shellQuoted(wordsOf(each).join("\n"))} -- "$current")) ;;`).join("\n")}
  esac
}
complete -F _${name} ${name}
`;
}

function wordsOf({ commands, choices, options }: CommandNode): string[] {
  return [...commands.map(({ name }) => name), ...choices, ...options.map(({ flag }) => flag)];
}

function valueCases({ path, options }: CommandNode): string[] {
  return options
    .filter(({ value }) => value.kind !== "none")
    .map((each) => `    ${shellQuoted(`${path}:${each.flag}`)}) ${completed(each)}return ;;`);
}

function completed({ value }: OptionNode): string {
  switch (value.kind) {
    case "file":
      return 'compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -f -- "$current")); ';
    case "folder":
      return 'compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -d -- "$current")); ';
    case "choice":
      return `COMPREPLY=($(compgen -W ${shellQuoted(value.choices.join("\n"))} -- "$current")); `;
    case "none":
    case "text":
      return "";
  }
}
