// The device's power: commands that switch it, or a person who is asked to. The user supplies the commands: a USB hub, a relay, an
// emulator that is stopped and started.

import { spawn } from "node:child_process";
import { createInterface } from "node:readline/promises";

export interface Power {
  off(): Promise<void>;
  on(): Promise<void>;
}

const COMMAND_LIMIT_MS = 60_000;

export interface PowerOptions {
  readonly powerOff?: string | undefined;
  readonly powerOn?: string | undefined;
}

/** `undefined`: it cannot be switched. @param canAsk a person is at this terminal */
export function openPower({ powerOff, powerOn }: PowerOptions, canAsk: boolean): Power | undefined {
  if (powerOff !== undefined && powerOn !== undefined)
    return { off: () => runCommand(powerOff), on: () => runCommand(powerOn) };
  if (!canAsk) return undefined;
  return {
    off: () => ask("Take the power from the device, then press Enter."),
    on: () => ask("Give the device its power again, then press Enter."),
  };
}

/** Background processes that it starts keep running. @throws Error when it exits with an error, or does not exit */
function runCommand(command: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn("sh", ["-c", command], { stdio: ["ignore", "ignore", "inherit"] });
    const limit = setTimeout(() => {
      child.kill();
      reject(
        new Error(
          `"${command}" has not ended after ${COMMAND_LIMIT_MS / 1000} s: start what lasts in the background`,
        ),
      );
    }, COMMAND_LIMIT_MS);
    child.once("error", reject);
    child.once("exit", (code) => {
      clearTimeout(limit);
      if (code === 0) resolve();
      else reject(new Error(`"${command}" ended with ${code}`));
    });
  });
}

async function ask(question: string): Promise<void> {
  const person = createInterface({ input: process.stdin, output: process.stderr });
  await person.question(`\n${question} `);
  person.close();
}
