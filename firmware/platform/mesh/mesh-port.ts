// The TCP port of a painlessMesh: accepts neighbours and connects to them, cuts what they send into messages, and sends messages. Bounded in
// both directions. Decides nothing else: who a neighbour is, and what it may, is core's.

import Listener from "embedded:io/socket/listener";
import TCP from "embedded:io/socket/tcp";
import base64 from "base64";
import { utf8Decode } from "../../core/bytes.js";
import {
  MAX_MESSAGE_BYTES,
  MAX_NEIGHBOUR_COUNT,
  MESH_PORT,
  type MeshEffect,
  type MeshEvent,
} from "../../core/mesh/vocabulary.js";
import type { Dispatch, Handlers } from "../runner.js";
import { type StreamEvents, type StreamOptions, TcpStream } from "../tcp-stream.js";

/** Read at once. */
const PIECE_BYTES = 1024;
/** How long a message may take to come: its beginning is in memory until then. */
const MESSAGE_MS = 10_000;
/** Of messages that a neighbour has not taken: who is so slow is closed. */
const MAX_UNSENT_CHARACTERS = 3 * MAX_MESSAGE_BYTES;

const NO_BYTES = new Uint8Array(0);

class MeshPort {
  readonly dispatch: Dispatch<MeshEvent>;
  readonly #links = new Map<number, MeshLink>();
  #listener: Listener | undefined;
  #nextNumber = 1;

  constructor(dispatch: Dispatch<MeshEvent>) {
    this.dispatch = dispatch;
  }

  open(): void {
    if (this.#listener) return;
    const acceptNext = (from: Listener) => this.#acceptNext(from);
    this.#listener = new Listener({
      port: MESH_PORT,
      onReadable(count) {
        for (let i = 0; i < count; i++) acceptNext(this);
      },
    });
  }

  close(): void {
    this.#listener?.close();
    this.#listener = undefined;
    for (const link of [...this.#links.values()]) link.close();
  }

  connect(neighbour: number, address: string): void {
    const link = new MeshLink(neighbour, this, { io: TCP, address, port: MESH_PORT });
    if (link.isOpen) this.#links.set(neighbour, link);
    else this.dispatch({ type: "meshClosed", neighbour });
  }

  send(neighbour: number, text: string): void {
    this.#links.get(neighbour)?.send(text);
  }

  drop(neighbour: number): void {
    this.#links.get(neighbour)?.close();
  }

  /** A link is closed, by either side. */
  closed(neighbour: number): void {
    if (this.#links.delete(neighbour)) this.dispatch({ type: "meshClosed", neighbour });
  }

  #acceptNext(from: Listener): void {
    try {
      const accepted = from.read();
      if (accepted) this.#accept(accepted);
    } catch {
      // it was closed before it was accepted
    }
  }

  #accept(from: TCP): void {
    if (this.#links.size < MAX_NEIGHBOUR_COUNT) {
      const neighbour = this.#nextNumber++;
      const link = new MeshLink(neighbour, this, { from });
      if (link.isOpen) {
        this.#links.set(neighbour, link);
        this.dispatch({ type: "meshConnected", neighbour });
        return;
      }
    }
    from.close();
  }
}

/** One neighbour. */
class MeshLink implements StreamEvents {
  readonly #neighbour: number;
  readonly #port: MeshPort;
  readonly #stream: TcpStream;
  /** The beginning of a message. */
  #begun: Uint8Array = NO_BYTES;
  #unsentCharacters = 0;

  constructor(neighbour: number, port: MeshPort, options: StreamOptions) {
    this.#neighbour = neighbour;
    this.#port = port;
    // a message is answered before the next one comes: to wait for more of it would cost 200 ms each
    this.#stream = new TcpStream({ ...options, nodelay: true }, this);
  }

  get isOpen(): boolean {
    return this.#stream.isOpen;
  }

  send(text: string): void {
    this.#unsentCharacters += text.length;
    if (this.#unsentCharacters > MAX_UNSENT_CHARACTERS) this.close();
    else this.#stream.write(`${text}\0`);
  }

  close(): void {
    this.#stream.close();
  }

  connected(): void {
    if (this.#neighbour < 0) this.#port.dispatch({ type: "meshConnected", neighbour: this.#neighbour });
  }

  readable(): void {
    while (this.#stream.availableBytes > 0) this.#take(this.#stream.read(PIECE_BYTES));
    if (this.#stream.isOver) this.close();
  }

  drained(): void {
    if (this.#unsentCharacters === 0) return;
    this.#unsentCharacters = 0;
    this.#port.dispatch({ type: "meshSent", neighbour: this.#neighbour });
  }

  ended(): void {
    this.close();
  }

  closed(): void {
    this.#begun = NO_BYTES;
    this.#port.closed(this.#neighbour);
  }

  #take(bytes: Uint8Array): void {
    let start = 0;
    for (let end = bytes.indexOf(0); end >= 0; end = bytes.indexOf(0, start)) {
      this.#finish(joined(this.#begun, bytes.subarray(start, end)));
      start = end + 1;
    }
    const rest = bytes.subarray(start);
    if (rest.length === 0) return;
    if (this.#begun.length + rest.length > MAX_MESSAGE_BYTES) return this.close();
    if (this.#begun.length === 0) this.#stream.closeAfter(MESSAGE_MS);
    this.#begun = joined(this.#begun, rest);
  }

  #finish(message: Uint8Array): void {
    if (this.#begun.length > 0) this.#stream.stay();
    this.#begun = NO_BYTES;
    const text = message.length > MAX_MESSAGE_BYTES ? undefined : utf8Decode(message);
    if (text) this.#port.dispatch({ type: "meshReceived", neighbour: this.#neighbour, text });
  }
}

/** A copy: the second is a part of what was read. */
function joined(first: Uint8Array, second: Uint8Array): Uint8Array {
  const both = new Uint8Array(first.length + second.length);
  both.set(first);
  both.set(second, first.length);
  return both;
}

/** What carries out the effects of a mesh; part of an app's handlers. */
export function meshHandlers(dispatch: Dispatch<MeshEvent>): Handlers<MeshEffect> {
  const port = new MeshPort(dispatch);
  return {
    openMesh: () => port.open(),
    closeMesh: () => port.close(),
    connectMesh: ({ neighbour, address }) => port.connect(neighbour, address),
    sendMesh: ({ neighbour, text, part }) =>
      port.send(neighbour, part ? text + base64.encode(part.bytes) + part.tail : text),
    dropMesh: ({ neighbour }) => port.drop(neighbour),
    decodeMesh: ({ text }) => dispatch({ type: "meshDecoded", bytes: new Uint8Array(base64.decode(text)) }),
  };
}
