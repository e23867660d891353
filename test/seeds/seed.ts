// A server of its own, with what the documents of the five systems call it by: curl, and the command line.

import { execFile, execFileSync } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { type RunningServer, type ServerOptions, startServer } from "../../server/start.js";
import { arduinoImage } from "../server/dialects/legacy-server.js";

export const run = promisify(execFile);
const SKYSLOT = fileURLToPath(new URL("../../bin/skyslot.js", import.meta.url));

export interface Answer {
  readonly status: number;
  // what a test names it has
  // biome-ignore lint/suspicious/noExplicitAny: answers of many routes
  readonly body: any;
}

export class Seed {
  readonly folder: string;
  readonly server: RunningServer;
  /** A file that is no image of Moddable's, but an image of the ESP32. */
  readonly image: string;

  private constructor(folder: string, server: RunningServer) {
    this.folder = folder;
    this.server = server;
    this.image = join(folder, "firmware.bin");
  }

  static async open(options: Pick<ServerOptions, "legacyTypes" | "settings"> = {}): Promise<Seed> {
    const folder = await mkdtemp(join(tmpdir(), "skyslot-seed-"));
    const server = await startServer({ dataDir: join(folder, "data"), port: 0, ...options });
    const seed = new Seed(folder, server);
    await writeFile(seed.image, arduinoImage("system".repeat(5)));
    return seed;
  }

  async close(): Promise<void> {
    await this.server.close();
    await rm(this.folder, { recursive: true, force: true });
  }

  get asAdmin(): string[] {
    return ["-H", `Authorization: Bearer ${this.server.adminToken}`];
  }

  url(path: string): string {
    return `${this.server.url}${path}`;
  }

  /** Runs curl. @returns the answer's status and JSON */
  async curl(...args: string[]): Promise<Answer> {
    const { stdout } = await run("curl", ["-sS", "-w", "\n%{http_code}", ...args]);
    const at = stdout.lastIndexOf("\n");
    const text = stdout.slice(0, at);
    return { status: Number(stdout.slice(at + 1)), body: text === "" ? {} : JSON.parse(text) };
  }

  json(path: string, body: object, ...args: string[]): Promise<Answer> {
    return this.curl(
      "-H",
      "Content-Type: application/json",
      "-d",
      JSON.stringify(body),
      ...args,
      this.url(path),
    );
  }

  upload(path: string, fields: Readonly<Record<string, string>>): Promise<Answer> {
    const form = Object.entries(fields).flatMap(([name, value]) => ["-F", `${name}=${value}`]);
    return this.curl(...this.asAdmin, "-F", `file=@${this.image}`, ...form, this.url(path));
  }

  makeLegacy(type: string): Promise<Answer> {
    return this.json(`/api/types/${type}`, { kind: "legacy" }, "-X", "PUT", ...this.asAdmin);
  }

  /** Runs `skyslot`, in the folder. @returns what it prints; an error has it in `stderr` */
  async skyslot(...args: string[]): Promise<string> {
    const { stdout } = await run(process.execPath, [SKYSLOT, ...args], { cwd: this.folder });
    return stdout;
  }
}

/** For `before`: skips the tests, and says so, where curl is missing. */
export function requireCurl(this: Mocha.Context): void {
  try {
    execFileSync("curl", ["--version"], { stdio: "ignore" });
  } catch {
    console.log("    skipped: curl is not installed");
    this.skip();
  }
}
