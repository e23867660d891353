// The same answer as servers, proxies and captive networks send it: every style here is allowed, and brings the same body.

import type { HttpResponse } from "../../host-sim/network/http-host.js";
import type { RawAnswer } from "../../host-sim/network/raw-answer.js";

/** An honest answer in another style. */
export type Style = (answer: HttpResponse) => RawAnswer;

interface HeadOptions {
  readonly status?: string;
  readonly eol?: string;
  readonly headers?: readonly string[];
  readonly hasLength?: boolean;
}

const bodyOf = ({ body }: HttpResponse): Uint8Array => body ?? new Uint8Array();

function headOf(answer: HttpResponse, options: HeadOptions = {}): string {
  const { status = `HTTP/1.1 ${answer.status} OK`, eol = "\r\n", headers = [], hasLength = true } = options;
  const given = Object.entries(answer.headers ?? {}).flatMap(([name, value]) =>
    value === undefined || /^(content-length|transfer-encoding|connection)$/i.test(name)
      ? []
      : [`${name}: ${value}`],
  );
  const length = hasLength ? [`Content-Length: ${bodyOf(answer).length}`] : [];
  return [status, ...given, ...headers, ...length, "", ""].join(eol);
}

function* chunks(body: Uint8Array, size: number, extension = ""): Iterable<string | Uint8Array> {
  for (let at = 0; at < body.length; at += size) {
    const piece = body.subarray(at, at + size);
    yield `${piece.length.toString(16)}${extension}\r\n`;
    yield piece;
    yield "\r\n";
  }
}

const CHUNKED: HeadOptions = { hasLength: false, headers: ["Transfer-Encoding: chunked"] };

const withHead =
  (options: (answer: HttpResponse) => HeadOptions): Style =>
  (answer) => ({
    pieces: [headOf(answer, options(answer)), bodyOf(answer)],
  });

export const STYLES: Readonly<Record<string, Style>> = {
  "a status line without a reason": withHead(({ status }) => ({ status: `HTTP/1.1 ${status}` })),
  "HTTP/1.0, ended by close": withHead(({ status }) => ({
    status: `HTTP/1.0 ${status} OK`,
    hasLength: false,
  })),
  "HTTP/1.1 without a length": withHead(() => ({ hasLength: false })),
  "bare line feeds": withHead(() => ({ eol: "\n" })),
  "empty and folded headers": withHead(() => ({ headers: ["X-Empty:", "X-Long: a", "  b", "\tc"] })),
  "four kilobytes of other headers": withHead(() => ({
    headers: Array.from({ length: 40 }, (_, at) => `X-Header-${at}: ${"v".repeat(90)}`),
  })),
  "one header of ten kilobytes": withHead(() => ({
    headers: [`Content-Security-Policy: ${"a ".repeat(5_000)}`],
  })),
  "100 and 103 before it": (answer) => ({
    pieces: [
      "HTTP/1.1 100 Continue\r\n\r\n",
      "HTTP/1.1 103 Early Hints\r\nLink: </style.css>\r\n\r\n",
      headOf(answer),
      bodyOf(answer),
    ],
  }),
  "bytes behind its end": (answer) => ({
    pieces: [headOf(answer), bodyOf(answer), "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}"],
  }),
  chunks: (answer) => ({ pieces: [headOf(answer, CHUNKED), ...chunks(bodyOf(answer), 8_192), "0\r\n\r\n"] }),
  "chunks with extensions and a trailer": (answer) => ({
    pieces: [
      headOf(answer, CHUNKED),
      ...chunks(bodyOf(answer), 3_000, ';name="va;lue"'),
      "0;last\r\nX-Checksum: abc\r\nX-More: def\r\n\r\n",
    ],
  }),
  "small chunks": (answer) => ({
    pieces: [headOf(answer, CHUNKED), ...chunks(bodyOf(answer), 100), "0\r\n\r\n"],
  }),
  "chunks, and a length that does not count": (answer) => ({
    pieces: [
      headOf(answer, { ...CHUNKED, headers: ["Content-Length: 7", "Transfer-Encoding: chunked"] }),
      ...chunks(bodyOf(answer), 8_192),
      "0\r\n\r\n",
    ],
  }),
};
