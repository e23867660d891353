// A real MQTT broker for the tests, in a temporary folder, on a free port. It exits with the process that started it, even if that
// is killed: a shell waits for the end of a pipe between them.

import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { chmod, mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { answering, freePort } from "./ports.js";

const BINARY = ["/usr/sbin/mosquitto", "/usr/bin/mosquitto", "/usr/local/sbin/mosquitto"].find((file) =>
  existsSync(file),
);

export interface Broker {
  readonly port: number;
  stop(): Promise<void>;
}

/** Skips the calling suite, and says why, where there is none. Call it in a `before`. */
export function mosquittoOrSkip(context: Mocha.Context): void {
  if (BINARY) return;
  console.warn("      skipped: no mosquitto (Debian package mosquitto)");
  context.skip();
}

/** Clients are `fleet` with the password `p/a@s%s`. `port` 0: any free one. */
export async function startBroker(port = 0): Promise<Broker> {
  const folder = await mkdtemp(join(tmpdir(), "skyslot-mqtt-"));
  await chmod(folder, 0o755);
  const chosen = port || (await freePort());
  await writeFile(join(folder, "passwords"), "fleet:p/a@s%s\n", { mode: 0o644 });
  await run("mosquitto_passwd", ["-U", join(folder, "passwords")]);
  await chmod(join(folder, "passwords"), 0o644);
  const lines = [
    `listener ${chosen} 127.0.0.1`,
    "allow_anonymous false",
    `password_file ${join(folder, "passwords")}`,
  ];
  await writeFile(join(folder, "conf"), `${lines.join("\n")}\n`);
  const script =
    '"$@" >"$0/log" 2>&1 & pid=$!; cat >/dev/null; kill -KILL $pid; wait $pid 2>/dev/null; rm -rf "$0"';
  const shell = spawn("sh", ["-c", script, folder, BINARY ?? "", "-c", join(folder, "conf")], {
    stdio: ["pipe", "ignore", "ignore"],
    detached: true,
  });
  shell.unref();
  await answering(chosen);
  return {
    port: chosen,
    stop: async () => {
      const ended = new Promise((resolve) => shell.once("exit", resolve));
      shell.ref();
      shell.stdin?.end();
      await ended;
    },
  };
}

function run(command: string, args: readonly string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const child: ChildProcess = spawn(command, args, { stdio: "ignore" });
    child.once("error", reject);
    child.once("exit", (code) =>
      code === 0 ? resolve() : reject(new Error(`${command} ended with ${code}`)),
    );
  });
}
