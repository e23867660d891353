// A request and an answer as bytes, and what is not taken for one.

import { expect } from "chai";
import {
  MAX_EXCHANGE_BYTES,
  readAnswer,
  readRequest,
  writeAnswer,
  writeRequest,
} from "../../../../firmware/core/radio/exchange-message.js";

const encode = (text: string) => new TextEncoder().encode(text);

describe("the message of an exchange", () => {
  it("brings a request over as it was", () => {
    const request = {
      method: "POST",
      target: "/api/ota/check?a=1",
      headers: { authorization: "Bearer abc", "content-type": "application/json" },
      body: '{"name":"Gerät ✓"}',
    } as const;
    const bytes = writeRequest(request)!;
    expect(readRequest(bytes)).deep.equal(request);
    expect(Buffer.from(bytes).toString()).equal(
      'POST /api/ota/check?a=1\nauthorization: Bearer abc\ncontent-type: application/json\n\n{"name":"Gerät ✓"}',
    );
  });

  it("brings an answer over, with bytes that are no text", () => {
    const answer = {
      status: 206,
      headers: { "content-range": "bytes 0-2/9", "x-skyslot-blocks": "1 2 3" },
      body: Uint8Array.of(0, 10, 10, 255),
    };
    expect(readAnswer(writeAnswer(answer)!)).deep.equal(answer);
    expect(readAnswer(encode("204\n\n"))).deep.equal({ status: 204, headers: {}, body: new Uint8Array(0) });
  });

  it("leaves out headers that nobody uses", () => {
    const headers = { server: "x", etag: '"1"', "x-skyslot-gateway": "g" };
    expect(readAnswer(writeAnswer({ status: 200, headers, body: encode("") })!)?.headers).deep.equal({
      etag: '"1"',
    });
  });

  it("leaves out a header with characters that would end its line", () => {
    const bytes = writeRequest({
      method: "GET",
      target: "/a",
      headers: { range: "bytes=0-1\nauthorization: x" },
      body: "",
    })!;
    expect(readRequest(bytes)?.headers).deep.equal({});
  });

  for (const [name, text] of Object.entries({
    "another method": "PUT /a\n\n",
    "no path": "GET http://a/b\n\n",
    "a space in the path": "GET /a b\n\n",
    "a fragment": "GET /a#b\n\n",
    "a header that nobody uses": "GET /a\ncookie: 1\n\n",
    "a header twice": "GET /a\nrange: 1\nrange: 2\n\n",
    "a header named like a property": "GET /a\n__proto__: 1\n\n",
    "a header without a value": "GET /a\nrange\n\n",
    "no end of its head": "GET /a\nrange: 1\n",
    "a head of more than 2048 bytes": `GET /a\n${"range: ".padEnd(2100, "x")}\n\n`,
    "a value of more than 512 characters": `GET /a\nrange: ${"x".repeat(513)}\n\n`,
    nothing: "",
  }))
    it(`takes no request with ${name}`, () => {
      expect(readRequest(encode(text))).equal(undefined);
    });

  it("takes no request whose body is no UTF-8", () => {
    expect(readRequest(Uint8Array.from([...encode("POST /a\n\n"), 0xff]))).equal(undefined);
  });

  for (const text of ["99\n\n", "600\n\n", "2e2\n\n", "0200\n\n", "\n\n", "GET /a\n\n", "200\nserver: a\n\n"])
    it(`takes no answer that begins with ${JSON.stringify(text)}`, () => {
      expect(readAnswer(encode(text))).equal(undefined);
    });

  it("writes at most what an exchange may hold", () => {
    const head = "200\n\n".length;
    const most = new Uint8Array(MAX_EXCHANGE_BYTES - head);
    expect(writeAnswer({ status: 200, headers: {}, body: most })).length(MAX_EXCHANGE_BYTES);
    expect(writeAnswer({ status: 200, headers: {}, body: new Uint8Array(most.length + 1) })).equal(undefined);
    expect(readAnswer(new Uint8Array(MAX_EXCHANGE_BYTES + 1))).equal(undefined);
  });
});
