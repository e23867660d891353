/**
 * Cuts HTTP/1.1 messages out of a byte stream: requests for hosts, responses for the phone. Bodies with a length, chunked,
 * or up to the end of the connection. Bounded; sends nothing.
 */

const HEAD_BYTES_MAX = 65536;

export interface HttpMessage {
  /** Of a request. */
  readonly method: string;
  readonly path: string;
  /** Of a response. */
  readonly status: number;
  /** Names in lower case; of repeated ones the values are joined. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

type Head = Omit<HttpMessage, "body">;

export class HttpParser {
  #kind: "request" | "response";
  #isHeadAnswer: boolean;
  #parts: Buffer[] = [];
  #byteCount = 0;
  #head: Head | undefined;
  #wantedBytes = 0;
  #hasEnded = false;

  constructor(kind: "request" | "response", options: { isHeadAnswer?: boolean } = {}) {
    this.#kind = kind;
    this.#isHeadAnswer = options.isHeadAnswer ?? false;
  }

  push(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.#parts.push(Buffer.from(bytes));
    this.#byteCount += bytes.length;
  }

  /** The connection has ended: a body without a length is complete. */
  end(): void {
    this.#hasEnded = true;
  }

  /** The next whole message; undefined while it is incomplete. */
  take(): HttpMessage | "malformed" | undefined {
    if (this.#byteCount < this.#wantedBytes && !this.#hasEnded) return undefined;
    const buffer = this.#parts.length === 1 ? (this.#parts[0] as Buffer) : Buffer.concat(this.#parts);
    this.#parts = [buffer];
    if (this.#head === undefined) {
      const end = buffer.indexOf("\r\n\r\n");
      if (end < 0) return buffer.length > HEAD_BYTES_MAX ? "malformed" : undefined;
      const head = parseHead(this.#kind, buffer.subarray(0, end).toString("latin1"));
      if (head === undefined) return "malformed";
      this.#head = head;
      this.#replace(buffer.subarray(end + 4));
      return this.take();
    }
    return this.#takeBody(buffer, this.#head);
  }

  #takeBody(buffer: Buffer, head: Head): HttpMessage | "malformed" | undefined {
    const { headers } = head;
    if (headers["transfer-encoding"]?.toLowerCase() === "chunked") {
      const chunked = takeChunks(buffer);
      if (chunked === undefined || chunked === "malformed") return chunked;
      return this.#finish(head, chunked.body, buffer.subarray(chunked.end));
    }
    const isBodyless = this.#isHeadAnswer || head.status === 204 || head.status === 304;
    const length = isBodyless ? 0 : Number(headers["content-length"] ?? (this.#kind === "request" ? 0 : NaN));
    if (Number.isNaN(length)) {
      return this.#hasEnded ? this.#finish(head, buffer, Buffer.alloc(0)) : undefined;
    }
    if (buffer.length < length) {
      this.#wantedBytes = length;
      return undefined;
    }
    return this.#finish(head, buffer.subarray(0, length), buffer.subarray(length));
  }

  #finish(head: Head, body: Buffer, rest: Buffer): HttpMessage {
    this.#head = undefined;
    this.#replace(rest);
    return { ...head, body: new Uint8Array(body) };
  }

  #replace(rest: Buffer): void {
    this.#parts = [rest];
    this.#byteCount = rest.length;
    this.#wantedBytes = 0;
  }
}

function parseHead(kind: "request" | "response", text: string): Head | undefined {
  const [first = "", ...lines] = text.split("\r\n");
  const headers: Record<string, string> = Object.create(null);
  for (const line of lines) {
    const colon = line.indexOf(":");
    if (colon <= 0) return undefined;
    const name = line.slice(0, colon).trim().toLowerCase();
    const value = line.slice(colon + 1).trim();
    headers[name] = name in headers ? `${headers[name]}, ${value}` : value;
  }
  const request = /^([A-Z-]+) (\S+) HTTP\/1\.[01]$/.exec(first);
  if (kind === "request" && request) {
    return { method: request[1] as string, path: request[2] as string, status: 0, headers };
  }
  const response = /^HTTP\/1\.[01] (\d{3})/.exec(first);
  if (kind === "response" && response) return { method: "", path: "", status: Number(response[1]), headers };
  return undefined;
}

function takeChunks(buffer: Buffer): { body: Buffer; end: number } | "malformed" | undefined {
  const chunks: Buffer[] = [];
  for (let offset = 0; ; ) {
    const lineEnd = buffer.indexOf("\r\n", offset);
    if (lineEnd < 0) return undefined;
    const length = Number.parseInt(buffer.subarray(offset, lineEnd).toString("latin1"), 16);
    if (Number.isNaN(length)) return "malformed";
    const start = lineEnd + 2;
    if (length === 0) {
      const end = buffer.indexOf("\r\n", start);
      return end < 0 ? undefined : { body: Buffer.concat(chunks), end: end + 2 };
    }
    if (buffer.length < start + length + 2) return undefined;
    chunks.push(buffer.subarray(start, start + length));
    offset = start + length + 2;
  }
}
