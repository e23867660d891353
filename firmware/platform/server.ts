// The device's own pages, through `embedded:network/http/server`, and the captive portal's name server over UDP. The SDK's server
// has no limits and no timeout: bodies are cut off at 4 KiB here, and a connection that takes longer than 10 s is closed.

import Listener from "embedded:io/socket/listener";
import UDP from "embedded:io/socket/udp";
import HTTPServer from "embedded:network/http/server";
import Timer from "timer";
import { utf8Decode } from "../core/bytes.js";
import { answerDns } from "../core/dns.js";
import type { HttpResponse } from "../core/effect.js";
import type { Dispatch } from "./runner.js";

const MAX_BODY_BYTES = 4096;
const CONNECTION_TIMEOUT_MS = 10_000;
const MAX_CONNECTIONS = 4;
const DNS_PORT = 53;
/** The access point's address, as ESP-IDF sets it. */
const PORTAL_ADDRESS = Object.freeze([192, 168, 4, 1] as const);

export function createServer(dispatch: Dispatch) {
  let server: HTTPServer | undefined;
  let names: UDP | undefined;
  let nextConnection = 1;
  const waiting = new Map<number, (response: HttpResponse) => void>();

  const accept = (connection: HTTPServer.Connection) => {
    if (waiting.size >= MAX_CONNECTIONS) {
      connection.close();
      return;
    }
    const number = nextConnection++;
    let method = "GET";
    let path = "/";
    let host = "";
    let origin: string | undefined;
    let contentType: string | undefined;
    let authorization: string | undefined;
    let body = new Uint8Array(0);
    let bodyTooLong = false;
    let out: TextPieces | undefined;
    let answer: HttpResponse | undefined;
    const forget = () => {
      waiting.delete(number);
      Timer.clear(timeout);
    };
    const timeout = Timer.set(() => {
      forget();
      connection.close();
    }, CONNECTION_TIMEOUT_MS);
    waiting.set(number, (response) => {
      answer = response;
    });
    connection.accept({
      onRequest(request) {
        method = request.method;
        path = request.path;
        host = (request.headers.get("host") ?? "").split(":")[0]?.toLowerCase() ?? "";
        origin = request.headers.get("origin");
        contentType = request.headers.get("content-type");
        authorization = request.headers.get("authorization");
      },
      onReadable(count) {
        const piece = this.read(count);
        if (!piece) return;
        bodyTooLong ||= body.length + piece.byteLength > MAX_BODY_BYTES;
        if (bodyTooLong) return;
        const longer = new Uint8Array(body.length + piece.byteLength);
        longer.set(body);
        longer.set(new Uint8Array(piece), body.length);
        body = longer;
      },
      onResponse(response) {
        if (bodyTooLong) answer = TOO_LONG;
        else
          dispatch({
            type: "requestReceived",
            connection: number,
            method,
            path,
            host,
            origin,
            contentType,
            authorization,
            body: utf8Decode(body) ?? "",
          });
        const { status, headers, body: text } = answer ?? { status: 500, headers: {}, body: "" };
        out = new TextPieces(text);
        response.status = status;
        for (const [name, value] of Object.entries(headers)) response.headers.set(name, value);
        response.headers.set("content-length", `${out.sizeBytes}`);
        this.respond(response);
      },
      onWritable(count) {
        const piece = out?.take(count);
        if (piece) this.write(piece);
      },
      onDone: forget,
      onError: forget,
    });
  };

  return {
    start(captive: boolean) {
      server ??= new HTTPServer({ io: Listener, port: 80, onConnect: accept });
      if (!captive) {
        names?.close();
        names = undefined;
      } else if (!names) {
        names = new UDP({
          port: DNS_PORT,
          onReadable(count) {
            for (let i = 0; i < count; i++) {
              const query = this.read() as (ArrayBuffer & { address: string; port: number }) | undefined;
              const reply = query && answerDns(new Uint8Array(query), PORTAL_ADDRESS);
              if (query && reply) this.write(reply, query.address, query.port);
            }
          },
        });
      }
    },
    stop() {
      server?.close();
      names?.close();
      server = undefined;
      names = undefined;
      waiting.clear();
    },
    respond(connection: number, response: HttpResponse) {
      waiting.get(connection)?.(response);
    },
  };
}

const TOO_LONG: HttpResponse = Object.freeze({
  status: 413,
  headers: Object.freeze({ "content-type": "text/plain" }),
  body: `at most ${MAX_BODY_BYTES} bytes`,
});

const PIECE_CHARACTERS = 1024;

/** A text as UTF-8, one small piece at a time: the setup page as one buffer would take half of the device's heap. */
class TextPieces {
  readonly sizeBytes: number;
  #text: string;
  #position = 0;
  #rest: ArrayBuffer | undefined;

  constructor(text: string) {
    this.#text = text;
    let sizeBytes = 0;
    for (let piece = this.#next(); piece; piece = this.#next()) sizeBytes += piece.byteLength;
    this.sizeBytes = sizeBytes;
    this.#position = 0;
  }

  /** At most `count` bytes; nothing at the end. */
  take(count: number): ArrayBuffer | undefined {
    const piece = this.#rest ?? this.#next();
    this.#rest = piece && piece.byteLength > count ? piece.slice(count) : undefined;
    return this.#rest ? piece?.slice(0, count) : piece;
  }

  #next(): ArrayBuffer | undefined {
    if (this.#position >= this.#text.length) return undefined;
    let end = this.#position + PIECE_CHARACTERS;
    const last = this.#text.charCodeAt(end - 1);
    if (last >= 0xd800 && last < 0xdc00) end++; // never between the halves of a pair
    const piece = ArrayBuffer.fromString(this.#text.slice(this.#position, end));
    this.#position = end;
    return piece;
  }
}
