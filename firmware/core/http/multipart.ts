// The head of the file in a multipart/form-data body (RFC 7578), as browsers' forms and `curl -F` send it: one file, and nothing behind it.
// What follows its head is the file, whose length is known then, because the closing line has one form only (RFC 2046, 5.1.1):
//
//   --BOUNDARY CR LF │ Content-Disposition: form-data; … filename=… CR LF … CR LF CR LF │ the file │ CR LF --BOUNDARY-- CR LF
//
// The bytes behind the head belong to the writer of the file, so never more is read than the head may still have. Pure; holds 1 KiB.

import { byteText } from "../bytes.js";

/** Longest head of a part, with the line before it. */
const MAX_PART_HEAD_BYTES = 1024;
/** RFC 2046: a boundary has 1 to 70 characters. */
const MAX_BOUNDARY_CHARACTERS = 70;
const END = "\r\n\r\n";

export interface PartHead {
  readonly boundary: string;
  /** What has arrived. */
  readonly text: string;
}

/** The boundary of such a body; `undefined`: it is another kind of body. Empty: it has none that can be used. */
export function boundaryOf(contentType: string | undefined): string | undefined {
  if (contentType?.slice(0, 19).toLowerCase() !== "multipart/form-data") return undefined;
  const match = /boundary=(?:"([^"]{1,70})"|([^\s;"]{1,70}))/i.exec(contentType.slice(19));
  const boundary = match?.[1] ?? match?.[2] ?? "";
  return boundary.length <= MAX_BOUNDARY_CHARACTERS && !boundary.endsWith(" ") ? boundary : "";
}

/** How many bytes may be read without reading any of the file; 0: the head is complete. */
export function missingBytes({ boundary, text }: PartHead): number {
  const firstLineBytes = boundary.length + 4;
  if (text.length < firstLineBytes) return firstLineBytes - text.length;
  let matchedCount = END.length;
  while (!text.endsWith(END.slice(0, matchedCount))) matchedCount -= 1;
  return END.length - matchedCount;
}

/** @param bytes at most as many as are missing */
export const withBytes = ({ boundary, text }: PartHead, bytes: Uint8Array): PartHead => ({
  boundary,
  text: text + byteText(bytes),
});

/** Why the head cannot be that of a file, in a sentence's words; `undefined`: it may be, or is. */
export function partProblem(head: PartHead): string | undefined {
  const { boundary, text } = head;
  const firstLine = `--${boundary}\r\n`;
  if (!text.startsWith(firstLine.slice(0, text.length))) return "the body does not begin with its boundary";
  if (text.length > MAX_PART_HEAD_BYTES) return `the file's head has more than ${MAX_PART_HEAD_BYTES} bytes`;
  const isComplete = missingBytes(head) === 0;
  return isComplete && !text.toLowerCase().includes("filename=")
    ? "its first field has to be the file"
    : undefined;
}

/** Length of the file behind a complete head, in a body of `bodyBytes`; 0 or less: there is none. */
export const fileBytes = ({ boundary, text }: PartHead, bodyBytes: number): number =>
  bodyBytes - text.length - (boundary.length + 8);
