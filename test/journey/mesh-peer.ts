// Both ends of painlessMesh's update protocol as programs of this computer, with node:net and nothing of the project: written from the
// description of the protocol alone (test/vectors/README.md and the text below), so that an error of ours is not made twice.
//
//   messages are JSON, each ended by one zero byte; 5 asks who is there, 6 answers; 4 is the time; 10 announces, 11 asks for a part, 12 is one

import { createHash } from "node:crypto";
import { connect, type Socket } from "node:net";

type Json = Record<string, unknown> & { readonly type: number };

/** A connection to a node of the mesh, over which messages go. */
abstract class MeshPeer {
  readonly nodeId: number;
  /** Of the other side, once it has said it. */
  otherId = 0;
  readonly received: Json[] = [];
  hasEnded = false;
  readonly #socket: Socket;
  #text = "";

  constructor(port: number, nodeId: number) {
    this.nodeId = nodeId;
    this.#socket = connect({ host: "127.0.0.1", port });
    this.#socket.setEncoding("utf8");
    this.#socket.on("connect", () => this.send({ nodeId, type: 5, dest: 0, from: nodeId }));
    this.#socket.on("data", (text) => this.#take(String(text)));
    this.#socket.on("error", () => this.#socket.destroy());
    this.#socket.on("close", () => {
      this.hasEnded = true;
    });
  }

  protected abstract heard(message: Json): void;

  send(message: Json): void {
    this.#socket.write(`${JSON.stringify(message)}\0`);
  }

  close(): void {
    this.#socket.destroy();
  }

  #take(text: string): void {
    this.#text += text;
    for (let end = this.#text.indexOf("\0"); end >= 0; end = this.#text.indexOf("\0")) {
      const message = JSON.parse(this.#text.slice(0, end)) as Json;
      this.#text = this.#text.slice(end + 1);
      this.received.push(message);
      this.#answer(message);
    }
  }

  #answer(message: Json): void {
    const { nodeId } = this;
    if (message.type === 5 || message.type === 6) this.otherId = message.nodeId as number;
    if (message.type === 5) this.send({ nodeId, type: 6, dest: this.otherId, from: nodeId });
    const time = message.type === 4 ? (message.msg as { type: number; t0: number }) : undefined;
    const now = Math.floor(performance.now() * 1000) >>> 0;
    const answer = (msg: object) => this.send({ type: 4, dest: this.otherId, from: nodeId, msg });
    if (time?.type === 0) answer({ type: 1, t0: now });
    if (time?.type === 1) answer({ type: 2, t0: time.t0, t1: now, t2: now + 1_000 });
    if (message.type >= 10) this.heard(message);
  }
}

/** A node that takes an image for its role. */
export class TakingNode extends MeshPeer {
  readonly #role: string;
  readonly #parts: Buffer[] = [];
  /** The whole image, when its MD5 is right. */
  image: Buffer | undefined;
  isRefused = false;
  readonly #stopAt: number;
  #stopped: Json | undefined;

  /** @param options.stopAt the part before which it waits until it is told to go on */
  constructor(port: number, nodeId: number, role: string, options: { readonly stopAt?: number } = {}) {
    super(port, nodeId);
    this.#role = role;
    this.#stopAt = options.stopAt ?? -1;
  }

  get isStopped(): boolean {
    return this.#stopped !== undefined;
  }

  goOn(): void {
    if (this.#stopped) this.#ask(this.#stopped, this.#parts.length);
  }

  protected heard(message: Json): void {
    const { type, role, hardware } = message;
    if (role !== this.#role || hardware !== "ESP32") return;
    if (type === 10 && this.#parts.length === 0) this.#ask(message, 0);
    if (type === 12 && message.partNo === this.#parts.length && message.dest === this.nodeId)
      this.#got(message);
  }

  #got(message: Json): void {
    this.#parts.push(Buffer.from(message.data as string, "base64"));
    if (this.#parts.length === this.#stopAt) {
      this.#stopped = message;
      return;
    }
    if (this.#parts.length < (message.noPart as number)) return this.#ask(message, this.#parts.length);
    const image = Buffer.concat(this.#parts);
    if (createHash("md5").update(image).digest("hex") === message.md5) this.image = image;
    else this.isRefused = true;
  }

  #ask({ from, md5, hardware, role, noPart, broadcasted = false }: Json, partNo: number): void {
    const ask = {
      from: this.nodeId,
      routing: 1,
      type: 11,
      md5,
      hardware,
      role,
      noPart,
      broadcasted,
      dest: from,
      partNo,
    };
    this.send(ask);
  }
}

/** A gateway that distributes an image for a role. */
export class GivingGateway extends MeshPeer {
  readonly #image: Uint8Array;
  readonly #partBytes: number;
  /** What every message about the image has. */
  readonly #about: Record<string, unknown>;
  readonly #more: object;
  sentParts: number[] = [];

  constructor(
    port: number,
    nodeId: number,
    image: Uint8Array,
    {
      role,
      partBytes = 1024,
      more = {},
    }: { readonly role: string; readonly partBytes?: number; readonly more?: object },
  ) {
    super(port, nodeId);
    this.#image = image;
    this.#partBytes = partBytes;
    const md5 = createHash("md5").update(image).digest("hex");
    this.#about = { md5, hardware: "ESP32", role, noPart: Math.ceil(image.length / partBytes) };
    this.#more = more;
  }

  announce(): void {
    this.send({ from: this.nodeId, routing: 2, type: 10, ...this.#about, ...this.#more });
  }

  protected heard({ type, partNo, from, dest, md5 }: Json): void {
    if (type !== 11 || dest !== this.nodeId || md5 !== this.#about.md5) return;
    const at = (partNo as number) * this.#partBytes;
    const data = Buffer.from(this.#image.subarray(at, at + this.#partBytes)).toString("base64");
    this.sentParts.push(partNo as number);
    this.send({ from: this.nodeId, routing: 1, type: 12, ...this.#about, dest: from, partNo, data });
  }
}
