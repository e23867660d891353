// Answers of any server, proxy or captive network: the body is found wherever the standard says where it ends; every other answer is refused
// in a sentence. Each answer is read whole, and cut into pieces of 1, 2, 3, 7 and 512 bytes: an answer may be split anywhere, between CR and
// LF too.

import { expect } from "chai";
import {
  type AnswerReader,
  bodyTaken,
  endAnswer,
  MAX_ANSWER_HEAD_BYTES,
  newAnswerReader,
  readAnswer,
  wantedBytes,
} from "../../../../firmware/core/http/answer-reader.js";

interface Read {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly end: AnswerReader["phase"];
  readonly problem: string;
}

/** As the adapter reads: lines as they are wanted, what is left over first, then the body. */
class Reading {
  reader = newAnswerReader;
  body = "";
  #bodyLeft = 0;
  /** Has arrived, and is not read yet. */
  #waiting: number[] = [];

  arrive(bytes: readonly number[]): void {
    this.#waiting = this.#waiting.concat(bytes); // spread, they would overflow XS's stack
    for (;;) {
      const wanted = wantedBytes(this.reader);
      const isBody = this.reader.phase === "body";
      const count = Math.min(this.#waiting.length, isBody ? this.#bodyLeft : wanted);
      if (count <= 0) return;
      const piece = this.#waiting.splice(0, count);
      if (isBody) {
        for (const byte of piece) this.body += String.fromCharCode(byte);
        this.#bodyLeft -= count;
        if (this.#bodyLeft === 0) this.reader = bodyTaken(this.reader);
      } else {
        this.reader = readAnswer(this.reader, Uint8Array.from(piece));
        expect(this.reader.usedBytes).within(0, count);
        this.#waiting = piece.slice(this.reader.usedBytes).concat(this.#waiting);
        if (this.reader.phase === "body") this.#bodyLeft = this.reader.bodyBytes;
      }
    }
  }
}

function read(text: string, pieceBytes: number): Read {
  const bytes = Array.from(text, (character) => character.charCodeAt(0));
  const reading = new Reading();
  for (let at = 0; at < bytes.length; at += pieceBytes) reading.arrive(bytes.slice(at, at + pieceBytes));
  const { status, headers, phase, problem } = endAnswer(reading.reader);
  return { status, headers, body: reading.body, end: phase, problem };
}

/** The same however it is cut. */
function answer(text: string): Read {
  const whole = read(text, text.length);
  const sizes = text.length > 4_000 ? [7, 512] : [1, 2, 3, 7, 512];
  for (const size of sizes) expect(read(text, size), `pieces of ${size}`).deep.equal(whole);
  return whole;
}

const OK = "HTTP/1.1 200 OK\r\n";
const CHUNKED = `${OK}Transfer-Encoding: chunked\r\n\r\n`;

describe("an answer whose end is clear is read, however unusual it is", () => {
  const bodies: Readonly<Record<string, string>> = {
    "with a length": `${OK}Content-Length: 5\r\n\r\nhello`,
    "without a reason": "HTTP/1.1 200\r\nContent-Length: 5\r\n\r\nhello",
    "without a reason, with a blank": "HTTP/1.1 200 \r\nContent-Length: 5\r\n\r\nhello",
    "with a reason of several words": "HTTP/1.1 200 All is well: yes\r\nContent-Length: 5\r\n\r\nhello",
    "in HTTP/1.0, until the connection ends": "HTTP/1.0 200 OK\r\n\r\nhello",
    "in HTTP/1.0, with a length": "HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello",
    "in HTTP/1.1 without a length": `${OK}Server: x\r\n\r\nhello`,
    "with lines that end in a bare LF": "HTTP/1.1 200 OK\ncontent-length: 5\n\nhello",
    "with empty headers": `${OK}etag:\r\nx-empty:   \r\ncontent-length: 5\r\n\r\nhello`,
    "with a folded header": `${OK}x-long: a\r\n b\r\n\tc\r\ncontent-length:\r\n 5\r\n\r\nhello`,
    "with blanks around the length": `${OK}Content-Length : \t 5 \t \r\n\r\nhello`,
    "with leading zeros in the length": `${OK}Content-Length: 0000005\r\n\r\nhello`,
    "with the same length twice": `${OK}Content-Length: 5\r\ncontent-length: 5\r\n\r\nhello`,
    "with bytes behind its end": `${OK}Content-Length: 5\r\n\r\nhelloHTTP/1.1 200 OK\r\n\r\n`,
    "in one chunk": `${CHUNKED}5\r\nhello\r\n0\r\n\r\n`,
    "in chunks of one byte": `${CHUNKED}1\r\nh\r\n1\r\ne\r\n1\r\nl\r\n1\r\nl\r\n1\r\no\r\n0\r\n\r\n`,
    "in chunks with extensions": `${CHUNKED}3;a=b;c="d;e"\r\nhel\r\n02 ; x\r\nlo\r\n0;last\r\n\r\n`,
    "in chunks with a trailer": `${CHUNKED}5\r\nhello\r\n0\r\nX-Checksum: 1\r\nx-more: 2\r\n 3\r\n\r\n`,
    "in chunks with blanks and zeros in their lengths": `${CHUNKED}00000005  \r\nhello\r\n000\r\n\r\n`,
    "in chunks, with bytes behind the end": `${CHUNKED}5\r\nhello\r\n0\r\n\r\nmore`,
    "in chunks, although it has a length": `${OK}content-length: 3\r\ntransfer-encoding: Chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n`,
    "after 100": `HTTP/1.1 100 Continue\r\n\r\n${OK}Content-Length: 5\r\n\r\nhello`,
    "after 103 with headers of its own": `HTTP/1.1 103 Early Hints\r\nlink: x\r\ncontent-length: 900\r\n\r\n${OK}Content-Length: 5\r\n\r\nhello`,
    "after five of them": `${"HTTP/1.1 102 \r\n\r\n".repeat(5)}${OK}Content-Length: 5\r\n\r\nhello`,
    "with a header of 10 KB that is not used": `${OK}csp: ${"a ".repeat(5_000)}\r\ncontent-length: 5\r\n\r\nhello`,
    "with 300 headers": `${OK}${"set-cookie: a=b\r\n".repeat(300)}content-length: 5\r\n\r\nhello`,
  };
  for (const [what, text] of Object.entries(bodies))
    it(what, () => expect(answer(text)).include({ status: 200, body: "hello", end: "over", problem: "" }));

  it("without a body: 204, 304, a length of 0, an empty last chunk", () => {
    for (const text of [
      "HTTP/1.1 204 No Content\r\nContent-Length: 7\r\n\r\nignored",
      "HTTP/1.1 304 Not Modified\r\ncontent-length: 900\r\n\r\n",
      "HTTP/1.1 304 Not Modified\r\ntransfer-encoding: gzip\r\n\r\n",
      `${OK}content-length: 0\r\n\r\nignored`,
      `${CHUNKED}0\r\n\r\n`,
      `${OK}\r\n`,
    ])
      expect(answer(text), text).include({ body: "", end: "over" });
  });

  it("keeps the headers that are used, by lower-case names, and of the chunked body no length", () => {
    const text = `${OK}ETag: "a"\r\nX-Other: 1\r\nDATE: Sun, 06 Nov 1994 08:49:37 GMT\r\nLocation:  /b \r\nContent-Range: bytes\r\n 0-4/9\r\nContent-Length: 5\r\n\r\nhello`;
    expect(answer(text).headers).deep.equal({
      etag: '"a"',
      date: "Sun, 06 Nov 1994 08:49:37 GMT",
      location: "/b",
      "content-range": "bytes 0-4/9",
      "content-length": "5",
    });
    const both = `${OK}content-length: 3\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`;
    expect(answer(both).headers).deep.equal({ "transfer-encoding": "chunked" });
  });

  it("takes 'repeated' as a list, so that two ranges are none", () => {
    const text = `${OK}content-range: bytes 0-4/9\r\ncontent-range: bytes 0-5/9\r\ncontent-length: 0\r\n\r\n`;
    expect(answer(text).headers["content-range"]).equal("bytes 0-4/9, bytes 0-5/9");
  });
});

describe("an answer whose end is not clear is refused in a sentence", () => {
  for (const length of [
    "",
    "-1",
    "+5",
    "abc",
    "0x5",
    "1e9",
    "5.0",
    "5 5",
    "5, 5",
    "5,6",
    "5;",
    "9007199254740993",
    "99999999999999999999",
    "Infinity",
    "NaN",
    "\u00b2",
  ])
    it(`with a length of "${length}"`, () => {
      const found = answer(`${OK}Content-Length: ${length}\r\n\r\nhello`);
      expect(found).include({ end: "failed", body: "" });
      expect(found.problem).equal(`has "${length}" as its Content-Length`);
    });

  it("with two different lengths", () => {
    const found = answer(`${OK}Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello`);
    expect(found.problem).equal('has "5, 6" as its Content-Length');
  });

  for (const coding of ["", "gzip", "gzip, chunked", "chunked, chunked", "chunked;q=1", "identity", "chunke"])
    it(`with transfer coding "${coding}"`, () => {
      const found = answer(`${OK}Transfer-Encoding: ${coding}\r\n\r\n0\r\n\r\n`);
      expect(found.problem).include("transfer coding that is not supported");
    });

  it("with chunks in HTTP/1.0", () => {
    const found = answer("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n");
    expect(found.problem).include("transfer coding that is not supported");
  });

  for (const line of ["", "x", "-1", "+5", "0x5", " 5", "5 5", "5,", ";a", "1e3g", "1".repeat(14), "5\n"])
    it(`with chunk line "${line.trimEnd()}"`, () => {
      const found = answer(`${CHUNKED}${line}\r\nhello\r\n0\r\n\r\n`);
      expect(found).include({ end: "failed", body: "" });
      expect(found.problem).include("malformed chunk line");
    });

  it("with a chunk that is longer than its line says, or shorter", () => {
    for (const text of [
      `${CHUNKED}5\r\nhello!\r\n0\r\n\r\n`,
      `${CHUNKED}5\r\nhell\r\n0\r\n\r\n`,
      `${CHUNKED}5\r\nhello\n0\n\n`,
    ])
      expect(answer(text).problem, text).include("a chunk that does not end where it should");
  });

  it("with a chunk line of 512 bytes it is read, with one more it is not", () => {
    const withExtension = (count: number) => `${CHUNKED}5;${"a".repeat(count - 4)}\r\nhello\r\n0\r\n\r\n`;
    expect(answer(withExtension(512))).include({ body: "hello", end: "over" });
    expect(read(withExtension(60_000), 512).problem).equal("has a chunk line of more than 512 bytes");
  });

  it("with a trailer that is none", () =>
    expect(answer(`${CHUNKED}0\r\nx\r\n\r\n`).problem).equal("has a malformed trailer"));

  it("that ends too early: in its head, its body, a chunk, a trailer", () => {
    for (const text of [
      "",
      "HTTP/1.1 20",
      OK,
      `${OK}content-length: 5\r\n\r\nhell`,
      `${CHUNKED}5\r\nhell`,
      `${CHUNKED}5\r\nhello`,
      `${CHUNKED}5\r\nhello\r\n`,
      `${CHUNKED}0\r\n`,
    ])
      expect(answer(text), text).include({ end: "failed", problem: "ended too early" });
  });

  it("without a length has to be ended by the server itself where TLS can tell: anybody can cut a connection", () => {
    const open = readAnswer(newAnswerReader, new TextEncoder().encode("HTTP/1.1 200 OK\r\n\r\n"));
    expect(endAnswer(open)).include({ phase: "over" });
    expect(endAnswer(open, true)).include({ phase: "failed" });
    expect(endAnswer(open, true).problem).match(/may be cut off$/);
  });

  for (const text of [
    "hello",
    "HTTP/2 200\r\n\r\n",
    "HTTP/2.0 200 OK\r\n\r\n",
    "HTTP/1.1 2000 OK\r\n\r\n",
    "HTTP/1.1 20 OK\r\n\r\n",
    "HTTP/1.1 -20 OK\r\n\r\n",
    "HTTP/1.1 099 Low\r\n\r\n",
    "HTTP/1.1 2x0 OK\r\n\r\n",
    "HTTP/1.x 200 OK\r\n\r\n",
    "HTTP/1.1\r\n\r\n",
    "http/1.1 200 OK\r\n\r\n",
    "ICY 200 OK\r\n\r\n",
    "\r\n\r\n",
    "\0\0\0\0\r\n\r\n",
    "<html>a captive network</html>\r\n",
  ])
    it(`that begins with "${JSON.stringify(text.slice(0, 20))}"`, () => {
      const found = answer(`${text}\n`);
      expect(found.problem).match(/^is no HTTP\/1\.1: it begins with "[ -~]{0,20}"$/);
    });

  it("with a header line without a name, or a fold of nothing", () => {
    for (const line of ["no colon", ": value", " folded: first"])
      expect(answer(`${OK}${line}\r\ncontent-length: 5\r\n\r\nhello`), line).include({ end: "failed" });
  });

  it("with a control character in a header that is used, not in another", () => {
    expect(answer(`${OK}location: /a\x01b\r\ncontent-length: 0\r\n\r\n`).problem).include(
      "a control character",
    );
    expect(answer(`${OK}x-other: /a\x01b\r\ncontent-length: 0\r\n\r\n`).end).equal("over");
  });

  it("with a sixth interim answer, or another protocol", () => {
    const found = answer(`${"HTTP/1.1 100 \r\n\r\n".repeat(6)}${OK}content-length: 0\r\n\r\n`);
    expect(found.problem).equal("follows more than 5 interim answers");
    expect(answer("HTTP/1.1 101 Switching Protocols\r\n\r\n").problem).equal("changes to another protocol");
  });
});

describe("an answer of any length is held in bounded memory", () => {
  const feed = (text: string) => {
    const reading = new Reading();
    let heldBytes = 0;
    for (let at = 0; at < text.length && reading.reader.phase !== "failed"; at += 512) {
      reading.arrive(Array.from(text.slice(at, at + 512), (character) => character.charCodeAt(0)));
      heldBytes = Math.max(heldBytes, reading.reader.line.length);
    }
    return { heldBytes, reader: reading.reader };
  };

  it("whatever is long in it", () => {
    const long: Readonly<Record<string, string>> = {
      "a status line": `HTTP/1.1 200 ${"a".repeat(60_000)}`,
      "a line without a name": `${OK}${"a".repeat(60_000)}`,
      "a header that is used": `${OK}location: ${"a".repeat(60_000)}`,
      "a header that is not": `${OK}cookie: ${"a".repeat(60_000)}`,
      "a fold": `${OK}location: a\r\n ${"a".repeat(60_000)}`,
      "many folds": `${OK}location: a\r\n${" aaaaaaaa\r\n".repeat(6_000)}`,
      "many headers": `${OK}${"a: b\r\n".repeat(20_000)}`,
      "many used headers": `${OK}${"etag: b\r\n".repeat(20_000)}`,
      "many different used headers": `${OK}${Array.from({ length: 9_000 }, (_, at) => `etag: ${at}\r\n`).join("")}`,
      "interim answers": "HTTP/1.1 100 \r\na: b\r\n\r\n".repeat(9_000),
      "a trailer": `${CHUNKED}0\r\n${"a: b\r\n".repeat(20_000)}`,
      "a trailer's line": `${CHUNKED}0\r\na: ${"b".repeat(60_000)}`,
    };
    for (const [what, text] of Object.entries(long)) {
      const { heldBytes, reader } = feed(text);
      expect(reader.phase, what).equal("failed");
      expect(heldBytes, what).most(2_304);
      expect(reader.line.length + Object.keys(reader.headers).length, what).equal(0);
    }
  });

  it("up to 16 384 bytes of head, to the byte", () => {
    const head = (count: number) => {
      const end = "content-length: 0\r\n\r\n";
      return `${OK}x: ${"a".repeat(count - OK.length - end.length - 5)}\r\n${end}`;
    };
    expect(head(MAX_ANSWER_HEAD_BYTES).length).equal(MAX_ANSWER_HEAD_BYTES);
    expect(feed(head(MAX_ANSWER_HEAD_BYTES)).reader.phase).equal("over");
    expect(feed(head(MAX_ANSWER_HEAD_BYTES + 1)).reader.problem).equal(
      "has more than 16384 bytes of headers",
    );
  });

  it("never asks for a byte of a body between chunks, for as many bytes as are certain", () => {
    let reader = readAnswer(
      newAnswerReader,
      Uint8Array.from(`${CHUNKED}5\r\n`, (c) => c.charCodeAt(0)),
    );
    expect(reader).include({ phase: "body", bodyBytes: 5 });
    reader = bodyTaken(reader);
    const asked: number[] = [];
    let rest = "\r\n4000\r\n";
    while (wantedBytes(reader) > 0) {
      const count = wantedBytes(reader);
      asked.push(count);
      reader = readAnswer(
        reader,
        Uint8Array.from(rest.slice(0, count), (c) => c.charCodeAt(0)),
      );
      rest = rest.slice(count);
    }
    expect(asked).deep.equal([5, 2, 1]);
    expect(reader).include({ phase: "body", bodyBytes: 0x4000 });
  });
});
