// Reads a password: from a file, from a pipe, or from the keyboard without echo. Never from the command line, which other users can read.

import { readFile } from "node:fs/promises";
import { UsageError } from "./output.js";

const ENTER: readonly string[] = ["\r", "\n"];
const ERASE: readonly string[] = ["\u007f", "\b"];
const INTERRUPT = "\u0003";
const END = "\u0004";
const MAX_INPUT_BYTES = 64 * 1024;

/** Without its line end. @throws UsageError if there is none */
export async function readSecret(question: string, file?: string): Promise<string> {
  if (file === undefined) return (await readSecrets([question]))[0] ?? "";
  return requireSecret(linesOf(await readFile(file, "utf8"))[0]);
}

/** One after the other; from a pipe, one per line. @throws UsageError if one is missing */
export async function readSecrets(questions: readonly string[]): Promise<readonly string[]> {
  if (!process.stdin.isTTY) {
    const lines = linesOf(await readPipe());
    return questions.map((_, index) => requireSecret(lines[index]));
  }
  const secrets: string[] = [];
  for (const question of questions) secrets.push(requireSecret(await askHidden(question)));
  return secrets;
}

function requireSecret(secret: string | undefined): string {
  if (!secret) throw new UsageError("the password is empty");
  return secret;
}

/** @param otherwise what to do without a terminal @throws UsageError that says so */
export async function readLineFrom(question: string, otherwise: string): Promise<string> {
  if (!process.stdin.isTTY) throw new UsageError(`no terminal to prompt on: ${otherwise}`);
  const { createInterface } = await import("node:readline/promises");
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  const answer = await lines.question(question);
  lines.close();
  return answer.trim();
}

const linesOf = (text: string): readonly string[] => text.split(/\r?\n/);

async function readPipe(): Promise<string> {
  let text = "";
  for await (const chunk of process.stdin.setEncoding("utf8")) {
    text += chunk;
    if (text.length > MAX_INPUT_BYTES)
      throw new UsageError(`a password has at most ${MAX_INPUT_BYTES} characters`);
  }
  return text;
}

function askHidden(question: string): Promise<string> {
  const { stdin, stderr } = process;
  stderr.write(question);
  stdin.setRawMode(true).setEncoding("utf8").resume();
  return new Promise((resolve, reject) => {
    let typed: string[] = [];
    const finish = () => {
      stdin.off("data", take).setRawMode(false).pause();
      stderr.write("\n");
    };
    const take = (text: string) => {
      for (const key of text) {
        if (key === INTERRUPT) {
          finish();
          return reject(new Error("cancelled"));
        }
        if (ENTER.includes(key) || key === END) {
          finish();
          return resolve(typed.join(""));
        }
        typed = ERASE.includes(key) ? typed.slice(0, -1) : [...typed, key];
      }
    };
    stdin.on("data", take);
  });
}
