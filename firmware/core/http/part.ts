// A part of a file, by a Range request (RFC 9110, 14): how it is asked for, and whether an answer is it. What a server, or a proxy in between,
// makes of ranges is not known before: an answer that is not the part leads to a request for the whole file, which any server can send.

import { readDigits } from "../digits.js";
import type { Failure } from "../errors.js";
import { announcedBytes, type Headers } from "./answer-head.js";

/** Bytes of a file to request: from `start` up to, not including, `end`. */
export interface Part {
  readonly start: number;
  readonly end: number;
  /** Of the whole file, as it was signed. */
  readonly totalBytes: number;
}

/** What to make of an answer. */
export type PartVerdict =
  /** The body begins with the part; bytes from `end` on are still missing, or are not to be read. */
  | { readonly isTaken: true; readonly end: number }
  /** `isRangeRefused`: another request for a part would end like this one, only the whole file is left. */
  | { readonly isTaken: false; readonly failure: Failure; readonly isRangeRefused: boolean };

interface Answered {
  readonly status: number;
  readonly headers: Headers;
}

/** The header that requests it; none for a whole file. */
export const rangeHeader = ({ start, end, totalBytes }: Part): Headers =>
  start === 0 && end === totalBytes ? {} : { range: `bytes=${start}-${end - 1}` };

/** @param leastBytes a part that is cut short is taken from this length on */
export function judgePart(part: Part, answered: Answered, leastBytes: number): PartVerdict {
  const { status, headers } = answered;
  const isAsked = rangeHeader(part).range !== undefined;
  if (status === 206) return judgeRange(part, headers, leastBytes, isAsked);
  if (status !== 200) {
    const message = `server answered ${status} to a request for ${nameOf(part)}`;
    const isRangeRefused = isAsked && !IS_ABOUT_LATER.includes(status) && status < 500;
    return { isTaken: false, failure: { code: "HTTP_STATUS", message }, isRangeRefused };
  }
  if (isAsked) return rangeIgnored(`server answered 200 to a request for ${nameOf(part)}`, true);
  const length = announcedBytes(headers);
  return length === undefined || length === part.end ? taken(part.end) : truncated(part, length);
}

/** Of these the server asks for patience: they say nothing about ranges. */
const IS_ABOUT_LATER: readonly number[] = Object.freeze([408, 425, 429]);

function judgeRange(part: Part, headers: Headers, leastBytes: number, isAsked: boolean): PartVerdict {
  const { start, end, totalBytes } = part;
  const text = headers["content-range"] ?? "";
  const found = readContentRange(text);
  const length = announcedBytes(headers);
  const isRight =
    found !== undefined &&
    found.start === start &&
    (found.totalBytes === undefined || found.totalBytes === totalBytes) &&
    found.end <= totalBytes &&
    (length === undefined || length === found.end - start) &&
    (found.end >= end || found.end - start >= leastBytes);
  if (isRight) return taken(Math.min(end, found.end));
  const message = `server answered range "${text.slice(0, 64)}" of ${length ?? "unknown"} bytes to a request for ${nameOf(part)}`;
  return rangeIgnored(message, isAsked);
}

/** `bytes 0-99/1000`, in any case and with any blanks; a total of `*` is not known. `end` is not included. */
function readContentRange(
  text: string,
): { readonly start: number; readonly end: number; readonly totalBytes: number | undefined } | undefined {
  const unit = text.slice(0, UNIT.length).toLowerCase();
  const dash = text.indexOf("-");
  const slash = text.indexOf("/");
  if (unit !== UNIT || dash < 0 || slash < dash) return undefined;
  const start = readDigits(text.slice(UNIT.length, dash).trim());
  const last = readDigits(text.slice(dash + 1, slash).trim());
  const total = text.slice(slash + 1).trim();
  const totalBytes = readDigits(total);
  if (start === undefined || last === undefined || (totalBytes === undefined && total !== "*"))
    return undefined;
  return last < start ? undefined : { start, end: last + 1, totalBytes };
}

const UNIT = "bytes ";

const nameOf = ({ start, end, totalBytes }: Part): string => `bytes ${start} to ${end - 1} of ${totalBytes}`;

const taken = (end: number): PartVerdict => ({ isTaken: true, end });

const rangeIgnored = (message: string, isRangeRefused: boolean): PartVerdict => ({
  isTaken: false,
  failure: { code: "RANGE_IGNORED", message },
  isRangeRefused,
});

const truncated = (part: Part, length: number): PartVerdict => ({
  isTaken: false,
  failure: { code: "BODY_TRUNCATED", message: `server announces ${length} bytes for ${nameOf(part)}` },
  isRangeRefused: false,
});
