// A real client of hawkBit for the tests: swupdate, as on a Linux gateway, in a temporary folder. It installs into a file
// instead of a partition. Debian builds it for signed bundles only, so a key is made for the run. It keeps the state of an update in
// memory where there is no boot loader, so a start after an update is passed as an option, as by the start script on such a board.

import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { createInterface } from "node:readline";

const PROGRAMS = ["swupdate", "openssl", "cpio"];
const MAX_BUNDLE_BYTES = 16 * 1024 * 1024;
const HARDWARE = "test:1.0";
/** The values of `-c`: whether the update that was installed before the restart works. */
const CONFIRMED = { works: "2", fails: "3" } as const;

/** Skips the calling suite, and says why, where it is not there. Call it in a `before`. */
export function swupdateOrSkip(context: Mocha.Context): void {
  const folders = (process.env.PATH ?? "").split(delimiter);
  const missing = PROGRAMS.filter((name) => !folders.some((folder) => existsSync(join(folder, name))));
  if (missing.length === 0) return;
  console.warn(`      skipped: no ${missing.join(", no ")} (Debian packages of the same names)`);
  context.skip();
}

export interface SwupdateOptions {
  readonly url: string;
  readonly tenant: string;
  readonly id: string;
  /** Absent: it has none. */
  readonly token?: { readonly kind: "target" | "gateway"; readonly value: string };
  /** It starts after the restart that follows an installation: what was installed runs, or the boot loader went back. */
  readonly installed?: keyof typeof CONFIRMED;
  /** Such as 100k, bytes a second; absent: no limit. */
  readonly maxSpeed?: string;
}

/** A board with swupdate on it: what is installed stays when it restarts. */
export class SwupdateBoard {
  readonly #folder: string;
  readonly #lines: string[] = [];
  #running: ChildProcess | undefined;
  #onOutput: () => void = () => {};

  private constructor(folder: string) {
    this.#folder = folder;
  }

  /** `attributes`: what it reports about itself. `twin`: a board that trusts the same key. */
  static async open(
    attributes: Readonly<Record<string, string>>,
    twin?: SwupdateBoard,
  ): Promise<SwupdateBoard> {
    const board = new SwupdateBoard(await mkdtemp(join(tmpdir(), "skyslot-swupdate-")));
    await mkdir(board.#in("tmp"));
    await writeFile(board.#in("partition"), "");
    await board.identify(attributes);
    if (twin) await copyFile(twin.#in("key.crt"), board.#in("key.crt"));
    else board.#makeKey("key");
    return board;
  }

  /** What it reports about itself from its next start on. */
  async identify(attributes: Readonly<Record<string, string>>): Promise<void> {
    const entries = Object.entries(attributes).map(
      ([name, value]) => `{ name="${name}"; value="${value}"; }`,
    );
    await writeFile(this.#in("config"), `globals: {};\nidentify: (${entries.join(", ")});\n`);
  }

  /** A bundle (.swu) that writes this content into the board's partition. `isForged`: signed with a key that the board does not trust. */
  async bundle(content: Buffer, isForged = false): Promise<Buffer> {
    const sha256 = createHash("sha256").update(content).digest("hex");
    const image = `{ filename = "image"; device = "partition"; type = "raw"; sha256 = "${sha256}"; }`;
    await writeFile(
      this.#in("sw-description"),
      `software = { version = "1.2.0"; hardware-compatibility: [ "1.0" ]; images: ( ${image} ); }\n`,
    );
    await writeFile(this.#in("image"), content);
    if (isForged) this.#makeKey("forged");
    const key = isForged ? "forged" : "key";
    this.#run("openssl", [
      ...["cms", "-sign", "-in", "sw-description", "-out", "sw-description.sig", "-outform", "DER"],
      ...["-signer", `${key}.crt`, "-inkey", `${key}.key`, "-nosmimecap", "-binary"],
    ]);
    const files = "sw-description\nsw-description.sig\nimage\n";
    return this.#run("cpio", ["--create", "--format=crc", "--quiet"], files);
  }

  /** The installed content. */
  installed(): Promise<Buffer> {
    return readFile(this.#in("partition"));
  }

  start({ url, tenant, id, token, installed, maxSpeed }: SwupdateOptions): void {
    const suricatta = [
      ...["-t", tenant, "-u", url, "-i", id],
      ...(token ? [token.kind === "target" ? "-k" : "-g", token.value] : []),
      ...(installed ? ["-c", CONFIRMED[installed]] : []),
      ...(maxSpeed === undefined ? [] : ["-n", maxSpeed]),
    ];
    const args = ["-f", this.#in("config"), "-l", "5", "-k", this.#in("key.crt"), "-H", HARDWARE];
    const script = '"$@" 2>&1 & pid=$!; cat >/dev/null; kill $pid; wait $pid';
    this.#lines.length = 0;
    this.#running = spawn("sh", ["-c", script, "sh", "swupdate", ...args, "-u", suricatta.join(" ")], {
      stdio: ["pipe", "pipe", "ignore"],
      cwd: this.#folder,
      // Its sockets and unpacked files.
      env: { ...process.env, TMPDIR: this.#in("tmp") },
    });
    createInterface({ input: this.#running.stdout! }).on("line", (line) => {
      this.#lines.push(line);
      this.#onOutput();
    });
  }

  /** Waits until it has logged this, after what was waited for before. */
  async said(what: RegExp): Promise<void> {
    for (;;) {
      const at = this.#lines.findIndex((line) => what.test(line));
      this.#lines.splice(0, at < 0 ? this.#lines.length : at + 1);
      if (at >= 0) return;
      await new Promise<void>((resolve) => {
        this.#onOutput = resolve;
      });
    }
  }

  async stop(): Promise<void> {
    const running = this.#running;
    if (!running) return;
    this.#running = undefined;
    const ended = new Promise((resolve) => running.once("close", resolve));
    running.stdin?.end();
    await ended;
  }

  async close(): Promise<void> {
    await this.stop();
    await rm(this.#folder, { recursive: true, force: true });
  }

  #makeKey(name: string): void {
    this.#run("openssl", [
      ...["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", `${name}.key`, "-out", `${name}.crt`],
      ...["-days", "2", "-subj", `/CN=${name}`],
      ...["-addext", "extendedKeyUsage=emailProtection", "-addext", "keyUsage=digitalSignature"],
    ]);
  }

  #run(command: string, args: readonly string[], input = ""): Buffer {
    return execFileSync(command, args, {
      cwd: this.#folder,
      input,
      stdio: ["pipe", "pipe", "ignore"],
      maxBuffer: MAX_BUNDLE_BYTES,
    });
  }

  readonly #in = (name: string): string => join(this.#folder, name);
}
