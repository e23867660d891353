// The head of the file in a form: exactly that much is read, whatever arrives.

import { expect } from "chai";
import {
  boundaryOf,
  fileBytes,
  missingBytes,
  type PartHead,
  partProblem,
  withBytes,
} from "../../../../firmware/core/http/multipart.js";

const BOUNDARY = "------------------------d74496d66958873e";
const FILE = "\u00e9\x03 an image";
const bodyOf = (boundary: string, head: string, file = FILE) =>
  Buffer.from(`--${boundary}\r\n${head}\r\n\r\n${file}\r\n--${boundary}--\r\n`, "latin1");
/** As curl 8 sends it. */
const CURL_HEAD =
  'Content-Disposition: form-data; name="firmware"; filename="x.bin"\r\nContent-Type: application/octet-stream';

/** Reads as the device does: never more than may be missing. */
function read(body: Uint8Array, boundary = BOUNDARY, pieceBytes = 1000): { head: PartHead; count: number } {
  let head: PartHead = { boundary, text: "" };
  let count = 0;
  while (missingBytes(head) > 0 && partProblem(head) === undefined && count < body.length) {
    const next = Math.min(missingBytes(head), pieceBytes);
    head = withBytes(head, body.subarray(count, count + next));
    count += next;
  }
  return { head, count };
}

describe("the head of a file in a form", () => {
  it("is read to its end, and not a byte of the file", () => {
    for (const pieceBytes of [1, 2, 3, 1000]) {
      const body = bodyOf(BOUNDARY, CURL_HEAD);
      const { head, count } = read(body, BOUNDARY, pieceBytes);
      expect(partProblem(head)).equal(undefined);
      expect(missingBytes(head)).equal(0);
      expect(body.subarray(count, count + FILE.length).toString("latin1")).equal(FILE);
      expect(fileBytes(head, body.length)).equal(FILE.length);
    }
  });

  it("may have line ends in it that only look like its end", () => {
    const body = bodyOf(BOUNDARY, 'X: \r\r\nContent-Disposition: form-data; filename="a\r"');
    const { head, count } = read(body);
    expect(body.subarray(count, count + FILE.length).toString("latin1")).equal(FILE);
    expect(fileBytes(head, body.length)).equal(FILE.length);
  });

  it("is not that of a field without a file, of another boundary, or longer than 1 KiB", () => {
    expect(partProblem(read(bodyOf(BOUNDARY, 'Content-Disposition: form-data; name="a"')).head)).include(
      "first field",
    );
    expect(partProblem(read(bodyOf("other", CURL_HEAD)).head)).include("does not begin");
    expect(partProblem(read(Buffer.from(`--${BOUNDARY}\r\n${"x".repeat(5000)}`)).head)).include("1024");
    expect(partProblem(read(Buffer.from("\xe9\x03 a raw image")).head)).include("does not begin");
  });

  it("leaves nothing for a file where the body ends too early", () => {
    const whole = bodyOf(BOUNDARY, CURL_HEAD, "");
    expect(fileBytes(read(whole).head, whole.length)).equal(0);
    expect(fileBytes(read(whole).head, whole.length - 10)).below(0);
  });

  it("belongs to a boundary of 1 to 70 characters, with or without quotes", () => {
    expect(boundaryOf("multipart/form-data; boundary=abc")).equal("abc");
    expect(boundaryOf('Multipart/Form-Data; charset=x; boundary="a b"; y=z')).equal("a b");
    expect(boundaryOf(`multipart/form-data; boundary=${"x".repeat(70)}`)).equal("x".repeat(70));
    for (const bad of [
      "",
      "; boundary=",
      '; boundary=""',
      '; boundary="a "',
      `; boundary="${"x".repeat(71)}"`,
    ])
      expect(boundaryOf(`multipart/form-data${bad}`), bad).equal("");
    for (const other of [undefined, "", "application/octet-stream", "text/plain; boundary=a"])
      expect(boundaryOf(other)).equal(undefined);
  });
});
