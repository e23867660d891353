// A device's serial line, to listen to: a serial port or pseudo terminal (/dev/…), a TCP port (HOST:PORT), or a file that grows.
// It disappears and comes back with the device's power, and its output is kept by lines. Nothing is ever sent.
//
// A serial port needs no native module: `stty` sets speed and raw mode. Without permission the system reports an error (on Debian the
// group is dialout), and no other program may have it open, not even xsbug.

import { execFileSync } from "node:child_process";
import { closeSync, constants, openSync, readSync, statSync } from "node:fs";
import { connect } from "node:net";
import { until } from "./waiting.js";

/** A source that is open. */
interface Source {
  close(): void;
}
interface Ear {
  bytes(bytes: Uint8Array): void;
  gone(): void;
}
type Open = (ear: Ear) => Source;

const OPEN_AGAIN_MS = 200;
const LINE_LENGTH_MAX = 1_000;
/** The oldest lines are dropped. A device prints about one a second. */
const LINES_MAX = 20_000;
const LOOK_AT_FILE_MS = 100;
/** A port's own buffer holds 4 KB: a third of a second at the usual speed. */
const LOOK_AT_PORT_MS = 20;
const READ_BYTES = 16 * 1024;

/** What the ROM of the chip prints first, and the simulator at a boot. */
const RESTART = /\brst:0x[0-9a-f]+|^\W*boot \d+: \S+ starts/;

export class SerialLine {
  /** Of chip resets, the first power-on included. */
  restartCount = 0;
  readonly #lines: string[] = [];
  #forgottenCount = 0;
  #held = "";
  readonly #decoder = new TextDecoder();
  #source: Source | undefined;
  #timer: NodeJS.Timeout | undefined;
  readonly #open: Open;
  readonly #onLine: (line: string) => void;

  /** @param name /dev/…, HOST:PORT, or the path of a file */
  constructor(name: string, baudRate: number, onLine: (line: string) => void) {
    this.#open = opener(name, baudRate);
    this.#onLine = onLine;
    this.#listen();
  }

  /** Lines so far: the position of the next one. */
  get position(): number {
    return this.#forgottenCount + this.#lines.length;
  }

  /** Lines from a position on. */
  since(position: number): readonly string[] {
    return this.#lines.slice(Math.max(0, position - this.#forgottenCount));
  }

  find(pattern: RegExp, position: number): RegExpExecArray | undefined {
    for (const line of this.since(position)) {
      const match = pattern.exec(line);
      if (match) return match;
    }
    return undefined;
  }

  /** @throws TooLate */
  waitFor(pattern: RegExp, position: number, limitMs: number): Promise<RegExpExecArray> {
    return until(`"${pattern.source}" on the serial line`, limitMs, () => this.find(pattern, position));
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#source?.close();
  }

  #listen(): void {
    const again = (): void => {
      this.#source = undefined;
      this.#timer = setTimeout(() => this.#listen(), OPEN_AGAIN_MS);
    };
    try {
      this.#source = this.#open({ bytes: (bytes) => this.#take(bytes), gone: again });
    } catch {
      again(); // it does not exist while the device has no power
    }
  }

  #take(bytes: Uint8Array): void {
    const parts = (this.#held + this.#decoder.decode(bytes, { stream: true })).split(/\r?\n/);
    this.#held = (parts.pop() ?? "").slice(-LINE_LENGTH_MAX);
    for (const part of parts) this.#addLine(part.slice(0, LINE_LENGTH_MAX));
  }

  #addLine(line: string): void {
    if (RESTART.test(line)) this.restartCount += 1;
    this.#lines.push(line);
    if (this.#lines.length > LINES_MAX) {
      this.#lines.shift();
      this.#forgottenCount += 1;
    }
    this.#onLine(line);
  }
}

function opener(name: string, baudRate: number): Open {
  const [, host, port] = /^([\w.-]+|\[[\da-f:]+\]):(\d{1,5})$/i.exec(name) ?? [];
  if (host !== undefined) return (ear) => openTcp(host, Number(port), ear);
  // /dev/shm has files
  if (/^\/dev\/(?!shm\/)/.test(name)) return (ear) => openPort(name, baudRate, ear);
  return (ear) => followFile(name, ear);
}

function openTcp(host: string, port: number, ear: Ear): Source {
  const socket = connect({ host, port });
  socket.on("data", (bytes) => ear.bytes(bytes));
  socket.on("error", () => {});
  let isClosed = false;
  socket.on("close", () => {
    if (!isClosed) ear.gone();
  });
  return {
    close() {
      isClosed = true;
      socket.destroy();
    },
  };
}

/** Polled without blocking: a blocking read could not be ended, and would hold the port. */
function openPort(path: string, baudRate: number, ear: Ear): Source {
  const file = process.platform === "darwin" ? "-f" : "-F";
  execFileSync("stty", [file, path, `${baudRate}`, "raw", "-echo", "-hupcl", "clocal"], { stdio: "ignore" });
  const port = openSync(path, constants.O_RDONLY | constants.O_NOCTTY | constants.O_NONBLOCK);
  const buffer = Buffer.alloc(READ_BYTES);
  const close = (): void => {
    clearInterval(timer);
    closeSync(port);
  };
  const timer = setInterval(() => {
    try {
      for (;;) {
        const count = readSync(port, buffer);
        if (count === 0) throw new Error("hung up");
        ear.bytes(buffer.subarray(0, count));
      }
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "EAGAIN") return;
      close();
      ear.gone();
    }
  }, LOOK_AT_PORT_MS);
  return { close };
}

/** As `tail -f`; a file that became shorter is read from its beginning. */
function followFile(path: string, ear: Ear): Source {
  const buffer = Buffer.alloc(READ_BYTES);
  let readBytes = 0;
  const look = (): void => {
    const { size } = statSync(path, { throwIfNoEntry: false }) ?? { size: 0 };
    if (size < readBytes) readBytes = 0;
    if (size === readBytes) return;
    const file = openSync(path, "r");
    try {
      for (let count = 1; count > 0; readBytes += count) {
        count = readSync(file, buffer, 0, buffer.length, readBytes);
        if (count > 0) ear.bytes(buffer.subarray(0, count));
      }
    } finally {
      closeSync(file);
    }
  };
  const timer = setInterval(look, LOOK_AT_FILE_MS);
  return { close: () => clearInterval(timer) };
}
