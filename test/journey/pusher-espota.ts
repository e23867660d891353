// Arduino's espota tool on the wire: invitation and answer to the challenge by UDP, the image by TCP in acknowledged
// chunks. Both versions: the newer answers with PBKDF2 and from another port, the older reads 37 bytes of the challenge.

import { createHash, pbkdf2Sync } from "node:crypto";
import type { IpNode } from "../../host-sim/network/ip-node.js";
import type { TcpSocket } from "../../host-sim/network/tcp-socket.js";

const CHUNK_BYTES = 1024;
const OLD_CHALLENGE_BYTES = 37;

export interface EspotaOptions {
  /** As Arduino core 3.3.1 and newer do it, or as before and in PlatformIO. */
  readonly age?: "new" | "old";
  /** What the invitation promises; default: the image's. */
  readonly md5?: string;
  /** Disconnects after this number of bytes. */
  readonly leaveAfter?: number;
}

export class EspotaSender {
  /** The device's last answer, with the bytes that it acknowledged. */
  said = "no answer";
  acknowledged = 0;
  over = false;
  readonly #node: IpNode;
  readonly #device: { readonly address: string; readonly port: number };
  readonly #image: Uint8Array;
  readonly #password: string;
  readonly #options: EspotaOptions;
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
    const listener = node.listen(0, (socket) => this.#upload(socket));
    this.#closers.push(() => listener?.close());
    const md5 = options.md5 ?? hex("md5", image);
    this.#ask(`0 ${listener?.port} ${image.length} ${md5}\n`, (answer) => {
      if (answer.startsWith("AUTH ")) this.#authenticate(answer);
      else if (answer !== "OK") this.#end(answer);
    });
  }

  close(): void {
    for (const close of this.#closers.splice(0)) close();
  }

  /** A datagram from its own socket. */
  #ask(text: string, answered: (text: string) => void): void {
    const udp = this.#node.bindUdp(0, ({ bytes }) => answered(Buffer.from(bytes).toString()));
    this.#closers.push(() => udp?.close());
    udp?.send(Buffer.from(text), this.#device.address, this.#device.port);
  }

  #authenticate(challenge: string): void {
    const isOld = this.#options.age === "old";
    const [, nonce = ""] = (isOld ? challenge.slice(0, OLD_CHALLENGE_BYTES) : challenge).split(" ");
    const cnonce = hex(isOld ? "md5" : "sha256", "image.bin");
    const answer = isOld
      ? hex("md5", `${hex("md5", this.#password)}:${nonce}:${cnonce}`)
      : hex("sha256", `${this.#key(`${nonce}:${cnonce}`)}:${nonce}:${cnonce}`);
    this.#ask(`200 ${cnonce} ${answer}\n`, (text) => {
      if (text !== "OK") this.#end(text);
    });
  }

  #key = (salt: string) =>
    pbkdf2Sync(hex("sha256", this.#password), salt, 10_000, 32, "sha256").toString("hex");

  #upload(socket: TcpSocket): void {
    const image = this.#image;
    const limit = this.#options.leaveAfter ?? image.length;
    let position = 0;
    let text = "";
    const next = () => {
      const chunk = image.subarray(position, Math.min(limit, position + CHUNK_BYTES));
      position += chunk.length;
      socket.write(chunk);
      if (position < image.length && position >= limit) {
        socket.close();
        this.#end("left");
      }
    };
    socket.events = {
      received: () => {
        text += Buffer.from(socket.read()).toString();
        if (text.includes("ERROR")) return; // the rest of the sentence comes before the end
        for (const count of text.match(/\d+/g) ?? []) this.acknowledged += Number(count);
        if (text.includes("OK")) return this.#end("OK");
        text = "";
        if (position < image.length) next();
      },
      ended: () => {
        socket.close();
        this.#end(text || "closed");
      },
      failed: () => this.#end(text || "reset"),
    };
    next();
  }

  #end(said: string): void {
    if (this.over) return;
    this.said = said;
    this.over = true;
  }
}

const hex = (algorithm: string, data: string | Uint8Array) =>
  createHash(algorithm).update(data).digest("hex");
