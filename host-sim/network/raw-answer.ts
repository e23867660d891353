/**
 * An answer as bytes: what no well-behaved server sends, and how slowly. Sends whatever it is given, as far as the other side takes it;
 * understands none of it.
 */

import type { World } from "../world/world.js";
import type { ServedSocket } from "./tls-stream.js";

export interface RawAnswer {
  /** Sent one after the other, each when the other side takes it; may be endless. A text is Latin-1. */
  readonly pieces: Iterable<string | Uint8Array>;
  /** Between two pieces; 0 if left out. */
  readonly gapMs?: number;
  /** What follows the last piece; "close" if left out. */
  readonly end?: "close" | "reset" | "stay";
}

/** Sends it. The socket's events are taken over. */
export function sendRaw(
  world: World,
  socket: ServedSocket,
  { pieces, gapMs = 0, end = "close" }: RawAnswer,
): void {
  const iterator = pieces[Symbol.iterator]();
  let rest: Uint8Array = new Uint8Array();
  let isWaiting = false;

  function send(): void {
    isWaiting = false;
    while (socket.state === "open") {
      if (rest.length === 0) {
        const next = iterator.next();
        if (next.done) return finish();
        rest = typeof next.value === "string" ? Buffer.from(next.value, "latin1") : next.value;
      }
      const count = Math.min(rest.length, socket.roomBytes);
      if (count === 0 && rest.length > 0) return; // goes on when bytes were taken
      socket.write(rest.subarray(0, count));
      rest = rest.subarray(count);
      if (rest.length === 0 && gapMs > 0) {
        isWaiting = true;
        world.schedule(gapMs, send);
        return;
      }
    }
  }

  function finish(): void {
    if (end === "close") socket.close();
    if (end === "reset") socket.abort();
  }

  socket.events = {
    received: () => void socket.read(),
    sent: () => {
      if (!isWaiting && rest.length > 0) send();
    },
    ended: () => socket.close(),
  };
  send();
}
