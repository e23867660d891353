// A shell in which the commands of a document run one block after the other, as a reader would type them: variables and files stay.
// `skyslot` in it is the command line of this process, because a start of Node for each command would take a second.

import { type ChildProcessByStdio, spawn } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import type { Readable, Writable } from "node:stream";
import type { Command } from "commander";
import { redirectOutput } from "../../server/cli/output.js";
import { createProgram } from "../../server/cli/program.js";

interface ShellOptions {
  /** Where the blocks run. */
  readonly folder: string;
  readonly server: string;
  /** The server's data folder: the command line takes its token from there. */
  readonly dataFolder: string;
  readonly variables?: Readonly<Record<string, string>>;
}

/** What a block is answered by: its output up to its end, and its status. */
interface Ran {
  readonly output: string;
  readonly status: number;
}

const START = `
set -uo pipefail
skyslot() {
  local answer status
  answer=$(mktemp)
  status=$(printf '%s\\0' "$answer.errors" "$@" | curl -sS --data-binary @- -o "$answer" -w '%{http_code}' "$SKYSLOT_COMMANDS")
  cat "$answer"
  cat "$answer.errors" >&2
  rm "$answer" "$answer.errors"
  [ "$status" = 200 ]
}
npx() { [ "$1" = skyslot ] && shift && skyslot "$@"; }
`;
const END_OF_BLOCK = "\u001e";

export class Shell {
  readonly #options: ShellOptions;
  readonly #commands: Server;
  readonly #bash: ChildProcessByStdio<Writable, Readable, null>;
  #output = "";
  #count = 0;
  #onOutput: () => void = () => {};
  #isOver = false;

  private constructor(options: ShellOptions, commands: Server) {
    this.#options = options;
    this.#commands = commands;
    const { port } = commands.address() as AddressInfo;
    this.#bash = spawn("bash", ["-c", 'while IFS= read -r file; do source "$file" </dev/null; done'], {
      cwd: options.folder,
      stdio: ["pipe", "pipe", "ignore"],
      env: {
        ...process.env,
        HOME: options.folder,
        SERVER: options.server,
        SKYSLOT_COMMANDS: `http://127.0.0.1:${port}`,
        ...options.variables,
      },
    });
    this.#bash.stdout.setEncoding("utf8").on("data", (text: string) => {
      this.#output += text;
      this.#onOutput();
    });
    this.#bash.once("close", () => {
      this.#isOver = true;
      this.#onOutput();
    });
  }

  static async open(options: ShellOptions): Promise<Shell> {
    const commands = createServer(async (request, response) => {
      const parts: Buffer[] = [];
      for await (const part of request) parts.push(part as Buffer);
      const words = Buffer.concat(parts).toString().split("\0").slice(0, -1);
      const [errorsFile = "", ...command] = words;
      const { output, errors, status } = await runCommand(command, options);
      await writeFile(errorsFile, errors);
      response.writeHead(status === 0 ? 200 : 500).end(output);
    });
    await new Promise<void>((resolve) => commands.listen(0, "127.0.0.1", resolve));
    const shell = new Shell(options, commands);
    await shell.#source(START);
    return shell;
  }

  /** Runs commands until one of them fails. What they print on standard error is part of the output. */
  run(block: string): Promise<Ran> {
    // Not a subshell: variables stay. `errexit` would end the shell; a failure returns from the sourced file instead.
    const onFailure = "status=$?; trap - ERR; return $status";
    return this.#source(`exec 2>&1\ntrap '${onFailure}' ERR\n${block}\ntrap - ERR\n`);
  }

  async #source(text: string): Promise<Ran> {
    const file = join(this.#options.folder, `.block-${this.#count++}`);
    const whole = `${file}.all`;
    await writeFile(file, text);
    await writeFile(whole, `source ${file}\nprintf '${END_OF_BLOCK}%s\\n' $?\n`);
    this.#output = "";
    this.#bash.stdin.write(`${whole}\n`);
    for (;;) {
      const [output = "", end] = this.#output.split(END_OF_BLOCK);
      if (end?.endsWith("\n")) return { output, status: Number(end) };
      if (this.#isOver) return { output, status: -1 };
      await new Promise<void>((resolve) => {
        this.#onOutput = resolve;
      });
    }
  }

  async close(): Promise<void> {
    const ended = new Promise((resolve) => this.#bash.once("close", resolve));
    this.#bash.stdin.end();
    if (!this.#isOver) await ended;
    this.#commands.closeAllConnections();
    await new Promise((resolve) => this.#commands.close(resolve));
  }
}

async function runCommand(
  words: readonly string[],
  options: ShellOptions,
): Promise<Ran & { readonly errors: string }> {
  const { exitCode } = process;
  const folder = process.cwd();
  let output = "";
  let errors = "";
  process.exitCode = 0;
  const putBack = redirectOutput((text) => {
    output += text;
  });
  const writeError = process.stderr.write;
  process.stderr.write = (text) => {
    errors += String(text);
    return true;
  };
  process.chdir(options.folder);
  try {
    const program = createProgram();
    const toServer = callsServer(program, words)
      ? ["--server", options.server, "--data", options.dataFolder]
      : [];
    await program.parseAsync([...words, ...toServer], { from: "user" });
    return { output, errors, status: Number(process.exitCode) };
  } catch (error) {
    return { output, errors: `${errors}skyslot: ${(error as Error).message}\n`, status: 1 };
  } finally {
    putBack();
    process.stderr.write = writeError;
    process.chdir(folder);
    process.exitCode = exitCode;
  }
}

/** Whether the command talks to a server: then it is this one, not that of its default address. */
function callsServer(program: Command, words: readonly string[]): boolean {
  const names = findCommand(program, words)?.options.map(({ long }) => long) ?? [];
  return names.includes("--server") && names.includes("--data") && !words.includes("--server");
}

/** The command that words begin with; undefined: there is none. */
export function findCommand(program: Command, words: readonly string[]): Command | undefined {
  let found: Command = program;
  for (const word of words) {
    const next = found.commands.find((each) => each.name() === word || each.aliases().includes(word));
    if (!next) break;
    found = next;
  }
  return found === program ? undefined : found;
}
