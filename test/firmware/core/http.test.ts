import { expect } from "chai";
import {
  allowedOrigin,
  contentLength,
  expectsContinue,
  formatResponse,
  newHeadReader,
  readHead,
} from "../../../firmware/core/http.js";

const bytes = (text: string) => new TextEncoder().encode(text);
const HEAD =
  "POST /update?x=1 HTTP/1.1\r\nHost: 192.168.1.20:3232\r\nContent-Length:  12 \r\nExpect: 100-Continue\r\n\r\n";

const read = (text: string) => readHead(newHeadReader, bytes(text)).head;
const headOf = (headers: string) => {
  const head = read(`POST /update HTTP/1.1\r\n${headers}\r\n`);
  if (!head?.ok) throw new Error(`no head: ${JSON.stringify(head)}`);
  return head.value;
};

describe("the head of a push request", () => {
  it("is read in one piece, and the body begins behind it", () => {
    const { head, bodyOffset } = readHead(newHeadReader, bytes(`${HEAD}body`));
    expect(head).deep.equal({
      ok: true,
      value: {
        method: "POST",
        path: "/update",
        headers: { host: "192.168.1.20:3232", "content-length": "12", expect: "100-Continue" },
      },
    });
    expect(bodyOffset).equal(HEAD.length);
  });

  it("is the same wherever it is cut in two", () => {
    const whole = readHead(newHeadReader, bytes(`${HEAD}body`));
    for (let cut = 0; cut <= HEAD.length + 4; cut++) {
      const first = readHead(newHeadReader, bytes(`${HEAD}body`.slice(0, cut)));
      const second = readHead(first, bytes(`${HEAD}body`.slice(cut)));
      expect(second.head, `cut at ${cut}`).deep.equal(whole.head);
      const offset = first.head ? first.bodyOffset : cut + second.bodyOffset;
      expect(offset, `cut at ${cut}`).equal(HEAD.length);
    }
  });

  it("is refused when it is longer than 4 KiB without a manifest, or a manifest than 12", () => {
    expect(read(`GET / HTTP/1.1\r\nx: ${"a".repeat(4096)}\r\n\r\n`)).nested.include({
      "failure.code": "HEAD_TOO_LONG",
    });
    const manifest = (length: number) =>
      read(`GET / HTTP/1.1\r\nX-Skyslot-Release: ${"a".repeat(length)}\r\n\r\n`);
    expect(manifest(12_288)?.ok).equal(true);
    expect(manifest(12_289)).nested.include({ "failure.code": "HEAD_TOO_LONG" });
  });

  it("that never ends is refused, and nothing of it is kept", () => {
    let reader = newHeadReader;
    for (let i = 0; i < 40 && !reader.head; i++) reader = readHead(reader, bytes("a".repeat(1024)));
    expect(reader.head).nested.include({ "failure.code": "HEAD_TOO_LONG" });
    expect(reader.text).equal("");
  });

  for (const text of [
    "POST /update\r\n\r\n",
    "post /update HTTP/1.1\r\n\r\n",
    "POST update HTTP/1.1\r\n\r\n",
    "POST /a b HTTP/1.1\r\n\r\n",
    "POST / HTTP/2\r\n\r\n",
    "POST / HTTP/1.1\r\nno colon\r\n\r\n",
    "POST / HTTP/1.1\r\n folded: x\r\n\r\n",
    "\r\n\r\n",
  ]) {
    it(`is malformed as ${JSON.stringify(text)}`, () => {
      expect(read(text)).nested.include({ "failure.code": "HEAD_MALFORMED" });
    });
  }

  it("with two different lengths is refused", () => {
    expect(read("POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n")).nested.include({
      "failure.code": "LENGTH_AMBIGUOUS",
    });
  });

  it("has a length only if it is a number and the body is not chunked", () => {
    expect(contentLength(headOf("Content-Length: 123\r\n"))).equal(123);
    for (const headers of [
      "",
      "Content-Length: -1\r\n",
      "Content-Length: 0x10\r\n",
      "Content-Length: 12345678901\r\n",
      "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n",
    ]) {
      expect(contentLength(headOf(headers)), headers).equal(undefined);
    }
  });

  it("says whether the sender waits", () => {
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

describe("an answer on the push port", () => {
  it("has a reason, a length, and ends the connection", () => {
    expect(formatResponse({ status: 409, headers: { a: "b" }, body: "no" }, 2)).equal(
      "HTTP/1.1 409 Conflict\r\na: b\r\ncontent-length: 2\r\nconnection: close\r\n\r\nno",
    );
  });
});
