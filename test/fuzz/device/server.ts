// The update server of the device under the fuzz, byte by byte: it reads requests honestly, and answers with whatever bytes it is given. In
// the turn of an input a check is held until the next input has said how it is answered: so each check is one input.

import { HttpParser } from "../../../host-sim/network/http-parser.js";
import type { TcpSocket } from "../../../host-sim/network/tcp-socket.js";
import type { World } from "../../../host-sim/world/world.js";

/** What goes over a connection, and how it ends. */
export interface Answer {
  readonly bytes: Uint8Array;
  /** Bytes in each piece on the wire, over and over; absent: all at once. */
  readonly pieces?: readonly number[];
  /** Between two pieces; absent: 1. */
  readonly pauseMs?: number;
  /** `keep`: the connection stays open. */
  readonly end: "close" | "reset" | "keep";
  /** Instead of `bytes`, to a device that has asked by radio: the message of the answer. */
  readonly message?: Uint8Array;
}

export interface Asked {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

/** How one input has the server answer. */
export interface Script {
  readonly check: Answer;
  readonly report?: Answer;
  /** Anything else that the device asks for because of it: images, digests, redirects' targets. */
  readonly other?: (asked: Asked) => Answer;
}

export const START_TIME = 1_795_000_000;
const POLL_SECONDS = 10;
/** Pieces on the wire for one answer; the rest is one piece. */
const MAX_PIECES = 64;

type Reply = (answer: Answer) => void;

export class FuzzServer {
  /** Checks that have arrived. */
  checkCount = 0;
  /** The newest check, as JSON text. */
  lastCheck = "";
  requestCount = 0;
  /** Checks are held until `answerHeld`. */
  isHolding = false;
  script: Script;
  #held: Reply | undefined;
  readonly #world: World;

  constructor(world: World) {
    this.#world = world;
    this.script = { check: this.honest() };
  }

  get hasHeld(): boolean {
    return this.#held !== undefined;
  }

  accept(socket: TcpSocket): void {
    const parser = new HttpParser("request");
    const take = (): void => {
      parser.push(socket.read());
      const message = parser.take();
      if (message === undefined) return;
      if (message === "malformed") return socket.abort();
      this.ask(message, (answer) => this.#send(socket, answer));
    };
    socket.events = { received: take, ended: () => socket.close() };
    take();
  }

  /** Answers the check that is held as the script says, and uses the script until the next. */
  answerHeld(script: Script): void {
    const held = this.#held;
    this.#held = undefined;
    this.script = script;
    held?.(script.check);
  }

  /** Nothing new; the device checks again soon. */
  honest(): Answer {
    const time = START_TIME + Math.floor(this.#world.nowMs / 1000);
    return jsonAnswer({ update_available: false, time, poll_seconds: POLL_SECONDS, poll_is_for_all: true });
  }

  /** From now on everything is answered honestly. */
  relent(): void {
    this.isHolding = false;
    this.answerHeld({ check: this.honest() });
  }

  /** A request has come, over a connection or through a gateway. */
  ask(asked: Asked, reply: Reply): void {
    this.requestCount += 1;
    const isOthers = asked.headers["x-skyslot-gateway"] !== undefined;
    if (asked.path.endsWith("/api/ota/check") && isOthers) reply(this.script.check);
    else if (asked.path.endsWith("/api/ota/check")) {
      this.checkCount += 1;
      this.lastCheck = Buffer.from(asked.body).toString();
      if (this.isHolding) this.#held = reply;
      else reply(this.honest());
    } else if (asked.path.endsWith("/api/ota/status")) {
      reply(this.script.report ?? jsonAnswer({}));
    } else reply(this.script.other?.(asked) ?? NOT_FOUND);
  }

  #send(socket: TcpSocket, { bytes, pieces, pauseMs = 1, end }: Answer): void {
    let offset = 0;
    let count = 0;
    const next = (): void => {
      if (socket.state === "closed") return;
      const size = pieces?.[count % pieces.length] ?? Infinity;
      const until = count >= MAX_PIECES ? bytes.length : Math.min(bytes.length, offset + Math.max(1, size));
      if (until > offset) socket.write(bytes.subarray(offset, until));
      offset = until;
      count += 1;
      if (offset < bytes.length) this.#world.schedule(pauseMs, next);
      else if (end === "close") socket.close();
      else if (end === "reset") this.#world.schedule(pauseMs, () => socket.abort());
    };
    next();
  }
}

const NOT_FOUND: Answer = plainAnswer("404 Not Found", "");

/** An answer with a length. */
export function plainAnswer(
  status: string,
  body: string | Uint8Array,
  headers: readonly string[] = [],
): Answer {
  const bytes = typeof body === "string" ? Buffer.from(body) : body;
  const lines = [`HTTP/1.1 ${status}`, `content-length: ${bytes.length}`, ...headers, "", ""];
  return { bytes: Buffer.concat([Buffer.from(lines.join("\r\n"), "latin1"), bytes]), end: "keep" };
}

export function jsonAnswer(value: unknown): Answer {
  return plainAnswer("200 OK", JSON.stringify(value), ["content-type: application/json"]);
}
