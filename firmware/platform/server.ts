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
    let body = new Uint8Array(0);
    let out: ArrayBuffer | undefined;
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
      },
      onReadable(count) {
        const piece = this.read(count);
        if (!piece || body.length + piece.byteLength > MAX_BODY_BYTES) return;
        const longer = new Uint8Array(body.length + piece.byteLength);
        longer.set(body);
        longer.set(new Uint8Array(piece), body.length);
        body = longer;
      },
      onResponse(response) {
        dispatch({
          type: "requestReceived",
          connection: number,
          method,
          path,
          host,
          body: utf8Decode(body) ?? "",
        });
        const { status, headers, body: text } = answer ?? { status: 500, headers: {}, body: "" };
        out = ArrayBuffer.fromString(text);
        response.status = status;
        for (const [name, value] of Object.entries(headers)) response.headers.set(name, value);
        response.headers.set("content-length", `${out.byteLength}`);
        this.respond(response);
      },
      onWritable(count) {
        if (!out) return;
        const piece = out.slice(0, count);
        out = piece.byteLength < out.byteLength ? out.slice(count) : undefined;
        this.write(piece);
      },
      onDone: forget,
      onError: forget,
    });
  };

  return {
    start(captive: boolean) {
      server ??= new HTTPServer({ io: Listener, port: 80, onConnect: accept });
      if (captive && !names) {
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
