// A real nginx for the tests, with the configuration that docs/operations.md shows, on a free port, in front of servers on this machine. It
// exits with the process that started it, even if that is killed: a shell waits for the end of a pipe between them.

import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { answering, freePort } from "./ports.js";

const BINARY = ["/usr/sbin/nginx", "/usr/bin/nginx", "/usr/local/sbin/nginx"].find((file) =>
  existsSync(file),
);
const DOCS = fileURLToPath(new URL("../../docs/operations.md", import.meta.url));

export interface Nginx {
  /** Such as `http://127.0.0.1:40123/ota`. */
  readonly url: string;
  close(): Promise<void>;
}

/** Skips the calling suite, and says why, where there is none. Call it in a `before`. */
export function nginxOrSkip(context: Mocha.Context): void {
  if (BINARY) return;
  console.warn("      skipped: no nginx (Debian package nginx-light)");
  context.skip();
}

/** The public URL of servers behind an nginx that is started later. */
export async function chooseUrl(): Promise<string> {
  return `http://127.0.0.1:${await freePort()}/ota`;
}

/**
 * @param url as `chooseUrl` gave it
 * @param ports of the servers; requests go to them in turn
 * @param keepsPrefix the servers get paths as they were requested
 */
export async function startNginx(
  url: string,
  ports: readonly number[],
  { keepsPrefix = false } = {},
): Promise<Nginx> {
  const { port } = new URL(url);
  const folder = await mkdtemp(join(tmpdir(), "skyslot-nginx-"));
  const written = await readFile(DOCS, "utf8");
  const shown = /```nginx\n([\s\S]*?)```/.exec(written)?.[1];
  if (shown === undefined) throw new Error(`${DOCS} shows no configuration`);
  const servers = ports.map((each) => `  server 127.0.0.1:${each};\n`).join("");
  const sites = shown
    .replace(/(?: *server 127\.0\.0\.1:\d+;\n)+/, servers)
    .replace(/listen 80;/, `listen 127.0.0.1:${port};`)
    .replace("http://skyslot/;", keepsPrefix ? "http://skyslot;" : "http://skyslot/;");
  const folders = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map(
    (name) => `${name}_temp_path ${join(folder, name)};`,
  );
  // One process, which its shell can kill.
  const lines = [
    "daemon off;",
    "master_process off;",
    `pid ${join(folder, "pid")};`,
    "events {}",
    `http { access_log off; ${folders.join(" ")}\n${sites} }`,
  ];
  await writeFile(join(folder, "conf"), lines.join("\n"));
  const script =
    '"$@" >"$0/log" 2>&1 & pid=$!; cat >/dev/null; kill -KILL $pid; wait $pid 2>/dev/null; rm -rf "$0"';
  const log = join(folder, "errors");
  const shell = spawn("sh", ["-c", script, folder, BINARY ?? "", "-e", log, "-c", join(folder, "conf")], {
    stdio: ["pipe", "ignore", "ignore"],
    detached: true,
  });
  shell.unref();
  await answering(Number(port));
  return {
    url,
    close: async () => {
      const ended = new Promise((resolve) => shell.once("exit", resolve));
      shell.ref();
      shell.stdin?.end();
      await ended;
    },
  };
}
