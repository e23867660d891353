// Port 3232: images that are pushed, by HTTP over TCP and by espota's invitation over UDP. It reads heads and hands bodies on as
// core asks for them: what nobody has asked for waits in the TCP window. It decides nothing about who may push.

import Listener from "embedded:io/socket/listener";
import TCP from "embedded:io/socket/tcp";
import UDP, { type Packet } from "embedded:io/socket/udp";
import Timer from "timer";
import { utf8Decode } from "../core/bytes.js";
import type { HttpResponse } from "../core/effect.js";
import {
  allowedOrigin,
  CONTINUE,
  expectsContinue,
  formatResponse,
  newHeadReader,
  readHead,
} from "../core/http.js";
import { refusal } from "../core/push.js";
import type { Dispatch } from "./runner.js";

const PORT = 3232;
const MAX_CONNECTIONS = 3;
/** Read at once while a head arrives. */
const HEAD_PIECE_BYTES = 1024;
const HEAD_TIMEOUT_MS = 30_000;
/** So long what a sender still sends is thrown away after its answer: closing at once would reset it, and the answer be lost. */
const LINGER_MS = 5_000;
const MAX_DATAGRAM_BYTES = 256;

/** One sender. */
interface Sender {
  readonly number: number;
  socket: TCP | undefined;
  /** Of the page that pushes, if it may read the answer. */
  origin: string | undefined;
  awaitsContinue: boolean;
  /** Body bytes that came with the head. */
  rest: Uint8Array;
  /** Bytes that wait in the socket. */
  waiting: number;
  phase: "head" | "judged" | "body" | "answered";
  hasEnded: boolean;
  timeout: ReturnType<typeof Timer.set> | undefined;
}

export function createPushServer(dispatch: Dispatch) {
  const senders = new Map<number, Sender>();
  let nextNumber = 1;
  let listener: Listener | undefined;
  let invitations: UDP | undefined;

  const add = (number: number, phase: Sender["phase"]): Sender => {
    const sender: Sender = {
      number,
      socket: undefined,
      origin: undefined,
      awaitsContinue: false,
      rest: new Uint8Array(0),
      waiting: 0,
      phase,
      hasEnded: false,
      timeout: undefined,
    };
    senders.set(number, sender);
    return sender;
  };
  const remove = (sender: Sender) => {
    if (sender.timeout !== undefined) Timer.clear(sender.timeout);
    sender.timeout = undefined;
    senders.delete(sender.number);
    sender.socket?.close();
    sender.socket = undefined;
  };
  const removeAfter = (sender: Sender, delayMs: number) => {
    if (sender.timeout !== undefined) Timer.clear(sender.timeout);
    sender.timeout = Timer.set(() => {
      sender.timeout = undefined;
      remove(sender);
    }, delayMs);
  };
  const write = (sender: Sender, text: string) => {
    if (sender.hasEnded) return;
    try {
      sender.socket?.write(ArrayBuffer.fromString(text));
    } catch {
      remove(sender); // no room although nothing else was written: the sender does not read
    }
  };
  const readSocket = (sender: Sender, maxBytes: number): Uint8Array => {
    const count = Math.min(maxBytes, sender.waiting);
    if (count <= 0) return new Uint8Array(0);
    const bytes = sender.socket?.read(count) as ArrayBuffer | undefined;
    if (bytes === undefined) return new Uint8Array(0);
    sender.waiting -= bytes.byteLength;
    return new Uint8Array(bytes);
  };

  const announce = (sender: Sender) => {
    const count = sender.rest.length + sender.waiting;
    const { number: connection } = sender;
    if (count > 0) dispatch({ type: "pushReadable", connection, count });
  };
  const answer = (sender: Sender, response: HttpResponse) => {
    const text =
      sender.number < 0 // espota has no heads
        ? response.body
        : formatResponse(response, ArrayBuffer.fromString(response.body).byteLength, sender.origin);
    sender.phase = "answered";
    sender.rest = new Uint8Array(0);
    write(sender, text);
    if (sender.hasEnded) remove(sender);
    else if (senders.has(sender.number)) removeAfter(sender, LINGER_MS);
    if (sender.waiting > 0) readSocket(sender, sender.waiting);
  };
  const readHeadOf = (sender: Sender, reader: ReturnType<typeof readHead>) => {
    let next = reader;
    while (!next.head && sender.waiting > 0) {
      const piece = readSocket(sender, HEAD_PIECE_BYTES);
      if (piece.length === 0) break;
      next = readHead(next, piece);
      if (next.head) sender.rest = piece.slice(next.bodyOffset);
    }
    if (!next.head) return next;
    if (sender.timeout !== undefined) Timer.clear(sender.timeout);
    sender.timeout = undefined;
    if (!next.head.ok) {
      const { code, message } = next.head.failure;
      answer(sender, refusal(code === "HEAD_TOO_LONG" ? 431 : 400, message));
      return next;
    }
    sender.phase = "judged";
    const head = next.head.value;
    sender.origin = allowedOrigin(head);
    sender.awaitsContinue = expectsContinue(head);
    dispatch({ type: "pushRequested", connection: sender.number, head });
    return newHeadReader; // the manifest in the head is as long as a fifth of the heap: not kept
  };
  const open = (
    sender: Sender,
    options: { readonly from: TCP } | { readonly address: string; port: number },
  ) => {
    let reader = newHeadReader;
    sender.socket = new TCP({
      ...options,
      onReadable(count) {
        sender.waiting = count;
        if (sender.phase === "head") reader = readHeadOf(sender, reader);
        else if (sender.phase === "body") announce(sender);
        else if (sender.phase === "answered") readSocket(sender, count);
      },
      onError() {
        sender.hasEnded = true;
        if (sender.phase === "head" || sender.phase === "answered") remove(sender);
        else if (sender.rest.length === 0) ended(sender);
      },
    });
  };
  const ended = (sender: Sender) => {
    remove(sender);
    dispatch({ type: "pushClosed", connection: sender.number });
  };

  const accept = (accepted: TCP | undefined) => {
    if (!accepted) return;
    if (senders.size >= MAX_CONNECTIONS) {
      accepted.close();
      return;
    }
    const sender = add(nextNumber++, "head");
    removeAfter(sender, HEAD_TIMEOUT_MS);
    open(sender, { from: accepted });
  };
  const takeDatagram = (packet: Packet | undefined) => {
    if (!packet || packet.byteLength > MAX_DATAGRAM_BYTES) return;
    const text = utf8Decode(new Uint8Array(packet)) ?? "";
    dispatch({ type: "datagramReceived", address: packet.address, port: packet.port, text });
  };

  return {
    start(espota: boolean) {
      if (!listener) {
        listener = new Listener({
          port: PORT,
          onReadable(count) {
            for (let i = 0; i < count; i++) accept(this.read());
          },
        });
      }
      if (!espota) {
        invitations?.close();
        invitations = undefined;
        return;
      }
      invitations ??= new UDP({
        port: PORT,
        onReadable(count) {
          for (let i = 0; i < count; i++) takeDatagram(this.read());
        },
      });
    },
    letBodyCome(connection: number) {
      const sender = senders.get(connection);
      if (sender?.phase !== "judged") return;
      sender.phase = "body";
      if (sender.awaitsContinue) write(sender, CONTINUE);
      announce(sender);
    },
    read(connection: number, maxBytes: number) {
      const sender = senders.get(connection);
      if (!sender) return;
      const bytes = sender.rest.length > 0 ? sender.rest.slice(0, maxBytes) : readSocket(sender, maxBytes);
      sender.rest = sender.rest.slice(bytes.length);
      if (bytes.length > 0) dispatch({ type: "pushData", connection, bytes });
      if (sender.hasEnded && sender.rest.length === 0 && sender.waiting === 0) ended(sender);
    },
    answer(connection: number, response: HttpResponse) {
      const sender = senders.get(connection);
      if (sender) answer(sender, response);
    },
    acknowledge(connection: number, count: number) {
      const sender = senders.get(connection);
      if (sender) write(sender, `${count}`);
    },
    connect(connection: number, address: string, port: number) {
      const sender = add(connection, "body");
      try {
        open(sender, { address, port });
      } catch {
        ended(sender);
      }
    },
    sendDatagram(address: string, port: number, text: string) {
      try {
        invitations?.write(ArrayBuffer.fromString(text), address, port);
      } catch {
        // lost like any other datagram: the sender asks again
      }
    },
  };
}
