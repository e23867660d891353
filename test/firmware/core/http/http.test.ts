import { expect } from "chai";
import { bodyBytes, contentLength } from "../../../../firmware/core/http/framing.js";
import {
  allowedOrigin,
  expectsContinue,
  formatHead,
  type HeadReader,
  headStatus,
  MAX_HEAD_BYTES,
  MAX_RELEASE_BYTES,
  newHeadReader,
  readHead,
} from "../../../../firmware/core/http/http.js";

const bytes = (text: string) => Uint8Array.from(text, (character) => character.charCodeAt(0));
const HEAD =
  "POST /update?x=1 HTTP/1.1\r\nHost: 192.168.1.20:3232\r\nAccept: */*\r\nContent-Length:  12 \r\nExpect: 100-Continue\r\nX-Skyslot-Release: a.b.c\r\n\r\n";

const read = (text: string) => readHead(newHeadReader(), bytes(text)).head;
const headOf = (headers: string, requestLine = "POST /update HTTP/1.1") => {
  const host = /^Host:/im.test(headers) || requestLine.endsWith("1.0") ? "" : "Host: a\r\n";
  const head = read(`${requestLine}\r\n${host}${headers}\r\n`);
  if (!head?.ok) throw new Error(`no head: ${JSON.stringify(head)}`);
  return head.value;
};
const code = (head: ReturnType<typeof read>) =>
  head === undefined || head.ok ? undefined : head.failure.code;

/** Bytes that a reader holds of what it has read. */
const heldBytes = ({ line, headers, request }: HeadReader) =>
  line.length + JSON.stringify(headers).length + (request?.path.length ?? 0) + (request?.host?.length ?? 0);

/** Reads pieces until the head is known; the maximum that was held, and the number of bytes examined. */
function feed(pieces: Iterable<Uint8Array>) {
  let reader = newHeadReader();
  let mostBytes = 0;
  let takenBytes = 0;
  for (const piece of pieces) {
    if (reader.head) break;
    reader = readHead(reader, piece);
    takenBytes += piece.length;
    mostBytes = Math.max(mostBytes, heldBytes(reader));
  }
  return { head: reader.head, mostBytes, takenBytes, heldBytes: heldBytes(reader) };
}

function* cut(text: string, pieceBytes: number): Generator<Uint8Array> {
  for (let i = 0; i < text.length; i += pieceBytes) yield bytes(text.slice(i, i + pieceBytes));
}

/** A head of that size, in headers that are not used. */
function headOfLength(sizeBytes: number, more = "", line = "GET /"): string {
  const around = `${line} HTTP/1.1\r\n${more}x: \r\nHost: a\r\n\r\n`;
  return `${line} HTTP/1.1\r\n${more}x: ${"a".repeat(sizeBytes - around.length)}\r\nHost: a\r\n\r\n`;
}

describe("the head of a request", () => {
  it("is read in one piece, and the body begins after it", () => {
    const { head, bodyOffset } = readHead(newHeadReader(), bytes(`${HEAD}body`));
    expect(head).deep.equal({
      ok: true,
      value: {
        method: "POST",
        path: "/update",
        query: "x=1",
        headers: {
          host: "192.168.1.20:3232",
          "content-length": "12",
          "x-skyslot-release": "a.b.c",
          expect: "100-Continue",
        },
      },
    });
    expect(bodyOffset).equal(HEAD.length);
  });

  it("is the same wherever it is split in two", () => {
    const whole = readHead(newHeadReader(), bytes(`${HEAD}body`));
    for (let at = 0; at <= HEAD.length + 4; at++) {
      const first = readHead(newHeadReader(), bytes(`${HEAD}body`.slice(0, at)));
      const second = first.head ? first : readHead(first, bytes(`${HEAD}body`.slice(at)));
      expect(second.head, `cut at ${at}`).deep.equal(whole.head);
      const offset = first.head ? first.bodyOffset : at + second.bodyOffset;
      expect(offset, `cut at ${at}`).equal(HEAD.length);
    }
  });

  it("is the same when it arrives byte by byte, in a reused buffer", () => {
    const buffer = new Uint8Array(1);
    let reader = newHeadReader();
    for (const byte of bytes(HEAD)) {
      expect(reader.head).equal(undefined);
      buffer[0] = byte;
      reader = readHead(reader, buffer);
    }
    expect(reader.head).deep.equal(read(HEAD));
  });

  it("keeps only the headers that are used", () => {
    const { headers } = headOf(
      "Host: a\r\nCookie: b=c\r\nUser-Agent: d\r\nX-Skyslot-Releases: e\r\nOrigin: null\r\n",
    );
    expect(headers).deep.equal({ host: "a", origin: "null" });
  });

  it("may have an absolute-form target, whose host then counts", () => {
    const head = (target: string) => headOf("Host: a\r\n", `GET ${target} HTTP/1.1`);
    expect(head("http://b:8080/path?x=/")).deep.equal({
      method: "GET",
      path: "/path",
      query: "x=/",
      headers: { host: "b:8080" },
    });
    expect(head("HTTP://b").path).equal("/");
    expect(head("http://b?x=/y")).deep.include({ path: "/", headers: { host: "b" } });
    expect(head("/http://b/")).deep.include({ path: "/http://b/", headers: { host: "a" } });
  });

  it("keeps a short query, and reads no longer one", () => {
    const query = (target: string) => headOf("Host: a\r\n", `GET ${target} HTTP/1.1`).query;
    expect(query("/a?device=both&force")).equal("device=both&force");
    expect(query("/a?b?c")).equal("b?c");
    for (const target of ["/a", "/a?", "http://b"]) expect(query(target), target).equal(undefined);
    expect(query(`/a?${"x".repeat(100)}`)).equal("x".repeat(100));
    expect(query(`/a?${"x".repeat(101)}`)).equal(undefined);
  });

  it("of HTTP/1.0 is read, and its sender never waits for 100 Continue", () => {
    const head = headOf("Expect: 100-continue\r\n", "GET / HTTP/1.0");
    expect(head).deep.equal({ method: "GET", path: "/", headers: {} });
    expect(expectsContinue(head)).equal(false);
  });

  for (const text of [
    "POST /update\r\n\r\n",
    "POST update HTTP/1.1\r\n\r\n",
    "POST /a b HTTP/1.1\r\n\r\n",
    "POST  / HTTP/1.1\r\n\r\n",
    " POST / HTTP/1.1\r\n\r\n",
    "POST /\t HTTP/1.1\r\n\r\n",
    "POST /\0 HTTP/1.1\r\n\r\n",
    "POST /ü HTTP/1.1\r\n\r\n",
    "POST http:/// HTTP/1.1\r\n\r\n",
    "POST https://b/ HTTP/1.1\r\n\r\n",
    `${"P".repeat(17)} / HTTP/1.1\r\n\r\n`,
    "POST / HTTP/2\r\n\r\n",
    "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "GET /\r\n",
    "GET / http/1.1\r\n\r\n",
    "GET / HTTP/1.10\r\n\r\n",
    "GET * HTTP/1.1\r\n\r\n",
    "CONNECT a:80 HTTP/1.1\r\n\r\n",
    "G(T / HTTP/1.1\r\n\r\n",
    "\u0016\u0003\u0001\u0002\u0000\n",
    "POST / HTTP/1.1\r\nno colon\r\n\r\n",
    "POST / HTTP/1.1\r\n: no name\r\n\r\n",
    "POST / HTTP/1.1\r\nHost : a\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: a\r\n folded\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: a\r\n\tfolded: x\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: a\0b\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: a\rOrigin: b\r\n\r\n",
    "POST / HTTP/1.1\nHost: a\n\n",
    "POST / HTTP/1.1\r\nHost: a\n\r\n",
    "\n",
    "\r\n\r\n",
  ]) {
    it(`is malformed as ${JSON.stringify(text)}`, () => {
      expect(code(read(text))).equal("HEAD_MALFORMED");
    });
  }

  it("is refused when a header that is used occurs twice, even with the same value", () => {
    for (const name of [
      "Content-Length",
      "Host",
      "Authorization",
      "Transfer-Encoding",
      "X-Skyslot-Release",
    ]) {
      const twice = `POST /update HTTP/1.1\r\n${name}: 1\r\n${name.toLowerCase()}: 1\r\n\r\n`;
      expect(code(read(twice)), name).equal("HEADER_REPEATED");
    }
    expect(read("POST / HTTP/1.1\r\nHost: a\r\nAccept: 1\r\nAccept: 2\r\n\r\n")?.ok).equal(true);
  });

  it("has a length only if the body is not in chunks", () => {
    const of = (headers: string) => contentLength(headOf(headers));
    expect(of("Content-Length: 123\r\n")).deep.equal({ ok: true, value: 123 });
    expect(of("")).deep.equal({ ok: true, value: undefined });
    expect(bodyBytes(headOf(""))).equal(0);
    for (const [coding, code] of [
      ["chunked", "LENGTH_MISSING"],
      ["Chunked", "LENGTH_MISSING"],
      ["gzip, chunked", "CODING_UNKNOWN"],
      ["identity", "CODING_UNKNOWN"],
    ] as const) {
      const head = headOf(`Transfer-Encoding: ${coding}\r\n`);
      expect(contentLength(head), coding)
        .deep.include({ ok: false })
        .and.nested.include({ "failure.code": code });
      expect(bodyBytes(head)).equal(Infinity);
    }
  });

  // The kind: a number, or another part of the framing, that two readers could understand differently.
  describe("with a length that is none", () => {
    for (const length of [
      "-1",
      "+5",
      "5,5",
      "5, 5",
      "0x5",
      "0b1",
      "1e3",
      "5.0",
      "5 5",
      "5;",
      "five",
      "",
      "Infinity",
      "NaN",
      "١٢",
      "9007199254740992",
      "18446744073709551616",
      "12345678901",
      "-0",
      "00000000005",
      "5\u00a0",
      "99999999999999999999999",
    ]) {
      it(`is malformed: ${JSON.stringify(length)}`, () => {
        for (const method of ["GET", "POST", "HEAD"])
          expect(code(read(`${method} / HTTP/1.1\r\nHost: a\r\nContent-Length: ${length}\r\n\r\n`))).equal(
            "HEAD_MALFORMED",
          );
      });
    }

    it("is refused, too, with two lengths, equal or not", () => {
      for (const [one, two] of [
        [5, 5],
        [5, 6],
        [0, 5],
      ])
        expect(
          code(
            read(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${one}\r\ncontent-length: ${two}\r\n\r\n`),
          ),
        ).equal("HEADER_REPEATED");
    });

    it("is refused with a length and chunks, and with chunks in HTTP/1.0", () => {
      const both = "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n";
      expect(code(read(`POST / HTTP/1.1\r\nHost: a\r\n${both}\r\n`))).equal("HEAD_MALFORMED");
      expect(code(read("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"))).equal("HEAD_MALFORMED");
    });

    it("is read with blanks around it, and zeros before it", () => {
      for (const length of ["5", " 5 ", "\t5\t", "0000000005"])
        expect(contentLength(headOf(`Content-Length:${length}\r\n`))).deep.equal({ ok: true, value: 5 });
    });
  });

  it("of HTTP/1.1 names a host", () => {
    for (const host of ["", "Host:\r\n", "Host: \t \r\n", "Host: a b\r\n", "Host: a/b\r\n", "Host: u@a\r\n"])
      expect(code(read(`GET / HTTP/1.1\r\n${host}\r\n`)), host).equal("HEAD_MALFORMED");
    for (const host of ["a:", "a:80", "a:65535", "192.168.4.1", "[fe80::1]", "[::1]:80", "a.b-c_d"])
      expect(read(`GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`)?.ok, host).equal(true);
    for (const host of [
      ":80",
      "a:x",
      "a:-1",
      "a:65536",
      "a:80:80",
      "[::1",
      "::1]",
      "[::1]x:80",
      "a:99999999999",
    ])
      expect(code(read(`GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`)), host).equal("HEAD_MALFORMED");
    expect(code(read("GET http://b/ HTTP/1.1\r\n\r\n")), "also where the target names it").equal(
      "HEAD_MALFORMED",
    );
    expect(code(read("GET / HTTP/1.0\r\nHost: a b\r\n\r\n"))).equal("HEAD_MALFORMED");
  });

  it("may come behind one empty line, and in a later minor version", () => {
    expect(read("\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n")?.ok).equal(true);
    expect(code(read("\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"))).equal("HEAD_MALFORMED");
    expect(headOf("", "GET / HTTP/1.2").path).equal("/");
  });

  it("may have any token for a method, and a star for a target of OPTIONS", () => {
    for (const method of ["get", "M-SEARCH", "FOO", "a!#$%&'*+.^_`|~9"])
      expect(headOf("", `${method} / HTTP/1.1`).method).equal(method);
    expect(headOf("", "OPTIONS * HTTP/1.1").path).equal("*");
  });

  it("says whether the sender waits for 100 Continue", () => {
    expect(expectsContinue(headOf("Expect: 100-continue\r\n"))).equal(true);
    expect(expectsContinue(headOf(""))).equal(false);
  });

  it("allows pages of the same host name on any port, and no others", () => {
    const of = (origin: string) => allowedOrigin(headOf(`Host: base-1.local:3232\r\nOrigin: ${origin}\r\n`));
    expect(of("http://base-1.local")).equal("http://base-1.local");
    expect(of("http://BASE-1.local:8080")).equal("http://BASE-1.local:8080");
    for (const origin of [
      "http://evil.example",
      "null",
      "http://base-1.local.evil.example",
      "http://base-1.local@evil",
    ]) {
      expect(of(origin), origin).equal(undefined);
    }
    expect(allowedOrigin(headOf("Origin: http://x\r\n"))).equal(undefined);
  });
});

describe("a head that is too long", () => {
  it("is limited to 2 048 bytes, to the byte, however it is split", () => {
    for (const pieceBytes of [1, 7, 512, 5_000]) {
      expect(feed(cut(headOfLength(MAX_HEAD_BYTES), pieceBytes)).head?.ok, `${pieceBytes}`).equal(true);
      const { head, heldBytes } = feed(cut(headOfLength(MAX_HEAD_BYTES + 1), pieceBytes));
      expect(code(head), `${pieceBytes}`).equal("HEAD_TOO_LONG");
      expect(heldBytes).below(10);
    }
  });

  it("has room for 1 536 more bytes of a release, to the byte, wherever it stands", () => {
    for (const name of ["X-Skyslot-Release", "x-skyslot-release"]) {
      const release = (length: number) => `${name}: ${"a".repeat(length)}\r\n`;
      const full = (length: number, more = 0) =>
        headOfLength(MAX_HEAD_BYTES + length + more, release(length), "POST /update").replace(
          /^(.*\r\n)(.*\r\n)(x: .*\r\n)/,
          "$1$3$2",
        );
      for (const pieceBytes of [1, 512, 5_000]) {
        const { head, mostBytes } = feed(cut(full(MAX_RELEASE_BYTES), pieceBytes));
        expect(head?.ok && head.value.headers["x-skyslot-release"]?.length).equal(MAX_RELEASE_BYTES);
        expect(mostBytes).below(MAX_HEAD_BYTES + MAX_RELEASE_BYTES);
        expect(code(feed(cut(full(MAX_RELEASE_BYTES + 1), pieceBytes)).head)).equal("RELEASE_TOO_LONG");
        expect(code(feed(cut(full(MAX_RELEASE_BYTES, 1), pieceBytes)).head)).equal("HEAD_TOO_LONG");
      }
    }
  });

  it("is answered with advice to sign again if it carries an old manifest, and otherwise with the limit", () => {
    const failureOf = (text: string) => {
      const head = read(text);
      return head?.ok === false ? head.failure.message : "";
    };
    expect(failureOf(`POST /update HTTP/1.1\r\nX-Skyslot-Release: ${"a".repeat(7_746)}\r\n\r\n`)).match(
      /sign the release again/,
    );
    expect(failureOf(`GET /${"a".repeat(20_000)} HTTP/1.1\r\n\r\n`)).match(/at most 2048 bytes/);
  });

  it("has no room for a release in a request that brings no image, and does not keep one", () => {
    for (const line of ["GET /update", "POST /", "POST /update/", "OPTIONS /update"]) {
      const head = (length: number) =>
        `${line} HTTP/1.1\r\nHost: a\r\nX-Skyslot-Release: ${"a".repeat(length)}\r\n\r\n`;
      expect(code(read(head(2_100))), line).equal("HEAD_TOO_LONG");
      const short = read(head(1_000));
      expect(short?.ok && short.value.headers, line).deep.equal({ host: "a" });
    }
  });

  it("keeps of Accept only whether JSON is asked for, however long it is", () => {
    const accepted = (...values: readonly string[]) => {
      const lines = values.map((value) => `Accept: ${value}\r\n`).join("");
      const head = read(`GET / HTTP/1.1\r\nHost: a\r\n${lines}\r\n`);
      return head?.ok && head.value.headers.accept;
    };
    expect(accepted("application/json")).equal("application/json");
    expect(accepted(`text/html;q=0.9, ${"a/b, ".repeat(100)}Application/JSON`)).equal("application/json");
    expect(accepted("text/plain", "application/json")).equal("application/json");
    for (const other of ["*/*", "text/plain", "text/html,application/xhtml+xml", ""])
      expect(accepted(other), other).equal(undefined);
    expect(accepted()).equal(undefined);
  });

  it("has no extra room for a second release", () => {
    const release = `X-Skyslot-Release: ${"a".repeat(MAX_RELEASE_BYTES)}\r\n`;
    const { head, mostBytes } = feed(
      cut(`POST /api/ota/upload HTTP/1.1\r\n${release}${release}${release}`, 512),
    );
    expect(code(head)).equal("HEADER_REPEATED");
    expect(mostBytes).below(MAX_HEAD_BYTES + MAX_RELEASE_BYTES);
  });

  it("is limited to 300 bytes in a header that is used, to the byte", () => {
    for (const name of ["authorization", "content-type", "host", "origin"]) {
      expect(headOf(`${name}: ${"a".repeat(300)}\r\n`).headers[name]).length(300);
      expect(code(read(`GET / HTTP/1.1\r\n${name}: ${"a".repeat(301)}\r\n\r\n`)), name).equal(
        "HEAD_TOO_LONG",
      );
    }
  });

  const endless: Readonly<Record<string, string>> = {
    "a URL of 20 KB": `GET /${"a".repeat(20_000)} HTTP/1.1\r\nHost: a\r\n\r\n`,
    "a header of 30 KB": `GET / HTTP/1.1\r\nHost: a\r\nCookie: ${"a".repeat(30_000)}\r\n\r\n`,
    "2 000 small headers": `GET / HTTP/1.1\r\n${"a:b\r\n".repeat(2_000)}\r\n`,
    "2 000 headers that are used": `GET / HTTP/1.1\r\n${"host:b\r\n".repeat(2_000)}\r\n`,
    "a token of 60 KB": `GET / HTTP/1.1\r\nAuthorization: Bearer ${"a".repeat(60_000)}\r\n\r\n`,
    "a release of 60 KB": `POST /update HTTP/1.1\r\nX-Skyslot-Release: ${"a".repeat(60_000)}\r\n\r\n`,
    "no end of a line": "a".repeat(30_000),
    "nothing but CR": "\r".repeat(30_000),
    "nothing but zeros": "\0".repeat(30_000),
    "nothing but colons": `GET / HTTP/1.1\r\n${":".repeat(30_000)}`,
    "a method that never ends": `${"G".repeat(30_000)} / HTTP/1.1\r\n`,
  };
  for (const [what, text] of Object.entries(endless)) {
    it(`with ${what} is refused, and never holds or reads more than its bounds`, () => {
      for (const pieceBytes of [1, 512]) {
        const { head, mostBytes, takenBytes, heldBytes } = feed(cut(text, pieceBytes));
        expect(head?.ok).equal(false);
        expect(mostBytes).below(MAX_HEAD_BYTES + MAX_RELEASE_BYTES);
        expect(takenBytes).at.most(MAX_HEAD_BYTES + MAX_RELEASE_BYTES + pieceBytes);
        expect(heldBytes).below(100);
      }
    });
  }
});

describe("an answer", () => {
  it("has a reason, a length, and ends the connection", () => {
    expect(formatHead({ status: 409, headers: { a: "b" }, body: "no" }, 2)).equal(
      "HTTP/1.1 409 Conflict\r\na: b\r\ncontent-length: 2\r\nconnection: close\r\n\r\n",
    );
  });

  it("to a refused head has the matching status", () => {
    expect(headStatus("HEAD_TOO_LONG")).equal(431);
    expect(headStatus("RELEASE_TOO_LONG")).equal(431);
    expect(headStatus("HEAD_MALFORMED")).equal(400);
    expect(headStatus("HEADER_REPEATED")).equal(400);
  });
});
