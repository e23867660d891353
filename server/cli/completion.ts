// `skyslot completion`: a script with which a shell completes commands and options. It is generated from the commands, so that it is always
// up to date.

import { Argument, type Command } from "commander";
import { printLines } from "./output.js";

export function completionCommand(program: Command): void {
  program
    .command("completion")
    .description('print the completion script: eval "$(skyslot completion bash)" in ~/.bashrc, or zsh')
    .addArgument(new Argument("[shell]", "bash or zsh").choices(["bash", "zsh"]).default("bash"))
    .action((shell: "bash" | "zsh") => printLines(completionScript(program, shell)));
}

/** For each path of commands, such as `skyslot rollout plan`, the words that may follow. */
export function completionWords(
  command: Command,
  path = command.name(),
): ReadonlyMap<string, readonly string[]> {
  const words = new Map<string, readonly string[]>();
  const options = command.options.filter(({ hidden }) => !hidden).flatMap(({ long }) => long ?? []);
  words.set(path, [...command.commands.map((each) => each.name()), ...options, "--help"]);
  for (const each of command.commands)
    for (const [name, own] of completionWords(each, `${path} ${each.name()}`)) words.set(name, own);
  return words;
}

/**
 * Also for `npx skyslot`, unless npx has a completion already; in front of that word npx's own arguments are files, as without it. The
 * commands typed so far select the words (the variable `path` is reserved in zsh); files are offered where no word matches.
 */
function completionScript(program: Command, shell: "bash" | "zsh"): string {
  const words = completionWords(program);
  const cases = [...words].map(([path, own]) => `    "${path}") words="${own.join(" ")}" ;;`).join("\n");
  return `${shell === "zsh" ? "autoload -U +X bashcompinit && bashcompinit\n" : ""}_skyslot() {
  local line="skyslot" word
  for word in "\${COMP_WORDS[@]:1:$((COMP_CWORD-1))}"; do
    case " $(_skyslot_words "$line") " in *" $word "*) [[ $word == -* ]] || line="$line $word" ;; esac
  done
  COMPREPLY=($(compgen -W "$(_skyslot_words "$line")" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
_skyslot_words() {
  local words
  case "$1" in
${cases}
  esac
  printf "%s" "$words"
}
_skyslot_npx() {
  case " \${COMP_WORDS[@]:1:$((COMP_CWORD-1))} " in *" skyslot "*) _skyslot ;; *) COMPREPLY=() ;; esac
}
complete -o default -F _skyslot skyslot
${shell === "zsh" ? '[[ -n "$_comps[npx]" ]]' : "complete -p npx >/dev/null 2>&1"} || complete -o default -F _skyslot_npx npx`;
}
