// A process with an XS machine in it (native/), driven synchronously over two pipes: firmware and what it calls nest as
// they do on a chip. It knows frames and processes; the bridge knows what is in the frames.

import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { closeSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** XS could not go on: out of memory, stack overflow, too much computation; or its process is gone. */
export class MachineEnded extends Error {
  override readonly name = "MachineEnded";
}

export class XsWorker {
  readonly #process: ChildProcess;
  readonly #toXs: number;
  readonly #fromXs: number;
  #isClosed = false;

  /** @param program that build.ts made */
  constructor(program: string) {
    const folder = mkdtempSync(join(tmpdir(), "skyslot-xs-"));
    const [down, up] = [join(folder, "down"), join(folder, "up")];
    execFileSync("mkfifo", [down, up]);
    // Opened for both directions first, so that no open waits for the other side; each side then holds one end only, so that
    // either notices when the other has gone.
    const both = [openSync(down, "r+"), openSync(up, "r+")];
    this.#toXs = openSync(down, "w");
    this.#fromXs = openSync(up, "r");
    const ends = [openSync(down, "r"), openSync(up, "w")] as const;
    this.#process = spawn(program, {
      stdio: ["ignore", "inherit", "inherit", ...ends],
      env: { TZ: "UTC" },
    });
    this.#process.unref();
    this.#process.on("error", () => {});
    for (const descriptor of [...both, ...ends]) closeSync(descriptor);
    rmSync(folder, { recursive: true });
  }

  send(frame: Uint8Array): void {
    if (this.#isClosed) throw new MachineEnded("the XS machine has ended");
    const length = Buffer.alloc(4);
    length.writeUInt32LE(frame.length);
    this.#write(length);
    this.#write(frame);
  }

  receive(): Buffer {
    return this.#read(this.#read(4).readUInt32LE());
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    closeSync(this.#toXs);
    closeSync(this.#fromXs);
    this.#process.kill("SIGKILL");
  }

  #write(bytes: Uint8Array): void {
    for (let offset = 0; offset < bytes.length; ) offset += writeSync(this.#toXs, bytes, offset);
  }

  #read(length: number): Buffer {
    const bytes = Buffer.alloc(length);
    for (let offset = 0; offset < length; ) {
      const count = this.#isClosed ? 0 : readSync(this.#fromXs, bytes, offset, length - offset, null);
      if (count === 0) throw new MachineEnded("the XS process has ended");
      offset += count;
    }
    return bytes;
  }
}
