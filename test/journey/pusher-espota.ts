// Arduino's espota tool on the wire: invitation and answer to the challenge by UDP, the image by TCP in acknowledged chunks. One for
// each generation, with the sizes in which it reads: what it does not read at once stays for its next read, and numbers run together.

import { createHash, pbkdf2Sync } from "node:crypto";
import type { IpNode } from "../../host-sim/network/ip-node.js";
import type { TcpSocket } from "../../host-sim/network/tcp-socket.js";

/** What a tool does in its own way. */
interface Generation {
  /** Bytes of a challenge that it reads. */
  readonly challengeBytes: number;
  /** How it hashes the password and the challenge. */
  readonly hash: "md5" | "pbkdf2";
  /** It answers a challenge from the port that invited. */
  readonly keepsPort: boolean;
  readonly chunkBytes: number;
  /** Reads after each chunk, and for the result. */
  readonly chunkReadBytes: number;
  readonly resultReadBytes: number;
  /** Reads for the result until it gives up. */
  readonly resultReads: number;
  readonly isSuccess: (read: string) => boolean;
}

const hasOk = (read: string) => read.includes("OK");

/** Arduino's core 3.3.1 and newer; arduino-esp32 2.x, as in PlatformIO; the core for the ESP8266. */
export const GENERATIONS = {
  "arduino-esp32 3.3.1": {
    challengeBytes: 128,
    hash: "pbkdf2",
    keepsPort: false,
    chunkBytes: 1024,
    chunkReadBytes: 10,
    resultReadBytes: 32,
    resultReads: 5,
    isSuccess: hasOk,
  },
  "arduino-esp32 2.x": {
    challengeBytes: 37,
    hash: "md5",
    keepsPort: true,
    chunkBytes: 1024,
    chunkReadBytes: 10,
    resultReadBytes: 32,
    resultReads: 5,
    isSuccess: hasOk,
  },
  ESP8266: {
    challengeBytes: 128,
    hash: "md5",
    keepsPort: true,
    chunkBytes: 1460,
    chunkReadBytes: 32,
    resultReadBytes: 64,
    resultReads: Infinity,
    isSuccess: (read) => read.includes("O") && !read.includes("E"),
  },
} as const satisfies Record<string, Generation>;

export type GenerationName = keyof typeof GENERATIONS;

export interface EspotaOptions {
  /** Default: the newest. */
  readonly generation?: GenerationName;
  /** Of the image's segments in the network; default: whole chunks. */
  readonly pieceBytesMax?: number;
  /** What the invitation promises; default: the image's. */
  readonly md5?: string;
  /** Disconnects after this number of bytes. */
  readonly leaveAfter?: number;
}

export class EspotaSender {
  /** The device's last answer. */
  said = "no answer";
  sentBytes = 0;
  over = false;
  readonly #node: IpNode;
  readonly #device: { readonly address: string; readonly port: number };
  readonly #image: Uint8Array;
  readonly #password: string;
  readonly #options: EspotaOptions;
  readonly #generation: Generation;
  readonly #closers: (() => void)[] = [];

  constructor(
    node: IpNode,
    device: { readonly address: string; readonly port: number },
    image: Uint8Array,
    password: string,
    options: EspotaOptions = {},
  ) {
    this.#node = node;
    this.#device = device;
    this.#image = image;
    this.#password = password;
    this.#options = options;
    this.#generation = GENERATIONS[options.generation ?? "arduino-esp32 3.3.1"];
    const { pieceBytesMax } = options;
    const policyOf = () => (pieceBytesMax === undefined ? undefined : { pieceBytesMax });
    const listener = node.listen(0, (socket) => this.#upload(socket), policyOf);
    this.#closers.push(() => listener?.close());
    const md5 = options.md5 ?? hex("md5", image);
    const ask = this.#ask(`0 ${listener?.port} ${image.length} ${md5}\n`, (answer) => {
      if (answer.startsWith("AUTH ")) this.#authenticate(answer, ask);
      else if (answer !== "OK") this.#end(answer);
    });
  }

  close(): void {
    for (const close of this.#closers.splice(0)) close();
  }

  /** A datagram from a socket of its own, and how to send more from that. */
  #ask(text: string, answered: (text: string) => void): (text: string) => void {
    const udp = this.#node.bindUdp(0, ({ bytes }) => answered(Buffer.from(bytes).toString()));
    this.#closers.push(() => udp?.close());
    const send = (more: string) => udp?.send(Buffer.from(more), this.#device.address, this.#device.port);
    send(text);
    return send;
  }

  #authenticate(challenge: string, ask: (text: string) => void): void {
    const { challengeBytes, hash, keepsPort } = this.#generation;
    const [, nonce = ""] = challenge.slice(0, challengeBytes).split(" ");
    const cnonce = hex(hash === "md5" ? "md5" : "sha256", "image.bin");
    const answer =
      hash === "md5"
        ? hex("md5", `${hex("md5", this.#password)}:${nonce}:${cnonce}`)
        : hex("sha256", `${this.#key(`${nonce}:${cnonce}`)}:${nonce}:${cnonce}`);
    const text = `200 ${cnonce} ${answer}\n`;
    if (keepsPort) return ask(text);
    this.#ask(text, (said) => {
      if (said !== "OK") this.#end(said);
    });
  }

  #key = (salt: string) =>
    pbkdf2Sync(hex("sha256", this.#password), salt, 10_000, 32, "sha256").toString("hex");

  #upload(socket: TcpSocket): void {
    const { chunkBytes, chunkReadBytes, resultReadBytes, resultReads, isSuccess } = this.#generation;
    const limit = this.#options.leaveAfter ?? this.#image.length;
    let unread = "";
    let isWaiting = false;
    let reads = 0;
    let last = "";
    const send = () => {
      const chunk = this.#image.subarray(this.sentBytes, Math.min(limit, this.sentBytes + chunkBytes));
      this.sentBytes += chunk.length;
      isWaiting = true;
      socket.write(chunk);
      if (this.sentBytes < limit || limit === this.#image.length) return;
      socket.close();
      this.#end("left");
    };
    const read = () => {
      if (!isWaiting || unread === "" || this.over) return;
      const isSending = this.sentBytes < this.#image.length || reads === 0;
      const piece = unread.slice(0, isSending ? chunkReadBytes : resultReadBytes);
      unread = unread.slice(piece.length);
      last = piece;
      const isLast = this.sentBytes === this.#image.length;
      if (isLast && isSuccess(piece)) {
        socket.close();
        return this.#end("OK");
      }
      if (!isLast) return send();
      if (++reads > resultReads) return this.#end(`no result in ${resultReads} reads`);
      read();
    };
    socket.events = {
      received: () => {
        unread += Buffer.from(socket.read()).toString();
        if (unread.includes("ERROR")) return; // its sentence comes before the end
        read();
      },
      ended: () => {
        socket.close();
        this.#end(unread.slice(Math.max(0, unread.indexOf("ERROR"))) || last || "closed");
      },
      failed: () => this.#end(unread || "reset"),
    };
    send();
  }

  #end(said: string): void {
    if (this.over) return;
    this.said = said;
    this.over = true;
  }
}

const hex = (algorithm: string, data: string | Uint8Array) =>
  createHash(algorithm).update(data).digest("hex");
