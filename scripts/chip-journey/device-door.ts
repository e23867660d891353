// The device as its network sees it: its pages on port 80 and its push port 3232, each at a configurable address, because
// with an emulator they are forwarded ports.

import { request } from "node:http";
import { connect } from "node:net";

export interface Address {
  readonly host: string;
  readonly port: number;
}

export interface Answer {
  readonly status: number;
  readonly text: string;
}

/** What came back on a connection that sent arbitrary bytes. */
export interface RawAnswer {
  /** 0: none. */
  readonly status: number;
  /** The body, as far as it was received. */
  readonly text: string;
  /** `undefined`: it had neither answered nor closed within the limit. */
  readonly end: "answered" | "closed" | undefined;
}

const LIMIT_MS = 20_000;

export interface Ask {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  readonly limitMs?: number;
}

/** One request on its own connection. @throws Error when there is no answer */
export function ask(address: Address, path: string, options: Ask = {}): Promise<Answer> {
  const { method = "GET", headers = {}, body = "", limitMs = LIMIT_MS } = options;
  return new Promise((resolve, reject) => {
    const sent = request({
      ...address,
      path,
      method,
      agent: false,
      headers: { ...headers, "content-length": Buffer.byteLength(body) },
    });
    const limit = setTimeout(
      () => sent.destroy(new Error(`no answer to ${method} ${path} after ${limitMs} ms`)),
      limitMs,
    );
    sent.on("close", () => clearTimeout(limit));
    sent.on("error", reject);
    sent.on("response", (answer) => {
      let text = "";
      answer.setEncoding("utf8");
      answer.on("data", (part: string) => {
        text += part;
      });
      answer.on("error", reject);
      answer.on("end", () => resolve({ status: answer.statusCode ?? 0, text }));
    });
    // a device that refuses a push answers before it has read the body, and closes
    sent.end(body);
  });
}

/** Sends raw bytes, and waits for the head of an answer or the end. Never throws: a refused connection counts as closed. */
export function sendRaw({ host, port }: Address, bytes: Uint8Array, limitMs = LIMIT_MS): Promise<RawAnswer> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    let text = "";
    const end = (how: RawAnswer["end"]): void => {
      clearTimeout(limit);
      socket.destroy();
      const status = Number(/^HTTP\/1\.[01] (\d{3}) /.exec(text)?.[1] ?? 0);
      resolve({ status, text: text.slice(text.indexOf("\r\n\r\n") + 4), end: status > 0 ? "answered" : how });
    };
    const limit = setTimeout(() => end(undefined), limitMs);
    socket.on("data", (part) => {
      text += part.toString("latin1");
      if (isWhole(text)) end("answered");
    });
    socket.on("error", () => end("closed"));
    socket.on("close", () => end("closed"));
    socket.on("connect", () => socket.write(bytes));
  });
}

/** Connects, sends, and resets the connection at once (RST), as a scan of ports does. Never throws. */
export function reset({ host, port }: Address, bytes: Uint8Array, limitMs = LIMIT_MS): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: limitMs });
    socket.on("timeout", () => socket.destroy());
    socket.on("error", () => {});
    socket.on("close", () => resolve());
    socket.on("connect", () => socket.write(bytes, () => socket.resetAndDestroy()));
  });
}

/** Head and body are complete, by its content-length. */
function isWhole(text: string): boolean {
  const head = text.indexOf("\r\n\r\n");
  const length = Number(/^content-length: *(\d+)/im.exec(text)?.[1] ?? 0);
  return head >= 0 && text.length >= head + 4 + length;
}
