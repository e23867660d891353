// The name server of the captive portal: every name leads to the device, so that a phone's probe arrives here whatever it asks for.
// Has no zone, queries no other server and never throws: bytes in, bytes out, or nothing when silence is the right answer.
//
//   0      2      4        6        8        10       12
//   ┌──────┬──────┬────────┬────────┬────────┬────────┬──────────────┬─────────────┬───────────────┐
//   │ id   │flags │ QDCOUNT│ ANCOUNT│ NSCOUNT│ ARCOUNT│ the question │ its answer  │ OPT (if asked)│
//   └──────┴──────┴────────┴────────┴────────┴────────┴──────────────┴─────────────┴───────────────┘
// All numbers are big-endian (RFC 1035, 4.1). The longest answer is 12 + 259 + 16 + 11 = 298 bytes.

/** Longest message without EDNS0 (RFC 1035, 4.2.1); also what we say we take. */
const MAX_DNS_BYTES = 512;
/** Seconds. Short: once the phone is back in its own network, the names have to lead elsewhere again. */
const TTL_SECONDS = 10;

const HEADER_BYTES = 12;
const MAX_NAME_BYTES = 255;
const MAX_ADDITIONAL_COUNT = 4;

const TYPE_A = 1;
const TYPE_OPT = 41;
const TYPE_ANY = 255;
const CLASS_IN = 1;
const CLASS_ANY = 255;

const FORMAT_ERROR = 1;
const NOT_IMPLEMENTED = 4;
/** Extended (RFC 6891, 6.1.3): the upper 8 of 12 bits are in the OPT record. */
const BAD_VERSION = 16;

const FLAG_RESPONSE = 0x8000;
const FLAG_AUTHORITATIVE = 0x0400;
const FLAG_RECURSION_DESIRED = 0x0100;
/** Stub resolvers go on to their next server without it. */
const FLAG_RECURSION_AVAILABLE = 0x0080;
const FLAG_CHECKING_DISABLED = 0x0010;
/** In the OPT record's flags; copied back (RFC 3225, 3). */
const FLAG_DNSSEC_OK = 0x8000;

interface Question {
  readonly type: number;
  readonly class: number;
  /** Offset of the first byte behind it. */
  readonly end: number;
}

interface Extension {
  readonly version: number;
  readonly dnssecOk: boolean;
}

/**
 * The answer to one UDP query. `A` gets `address` for every name; `AAAA`, `HTTPS` and all else an empty NOERROR, which means to the
 * phone that the name exists and it need not wait for more. `undefined` means: send nothing (too short, or itself an answer).
 */
export function answerDns(
  query: Uint8Array,
  address: readonly [number, number, number, number],
): Uint8Array | undefined {
  if (query.length < HEADER_BYTES) return undefined;
  const flags = u16(query, 2);
  // answering an answer would let two servers talk to each other forever
  if ((flags & FLAG_RESPONSE) !== 0) return undefined;
  if ((flags & 0x7800) !== 0) return refuse(query, NOT_IMPLEMENTED);
  if (query.length > MAX_DNS_BYTES) return refuse(query, FORMAT_ERROR);
  if (u16(query, 4) !== 1 || u16(query, 6) !== 0 || u16(query, 8) !== 0) return refuse(query, FORMAT_ERROR);
  const question = readQuestion(query);
  if (!question) return refuse(query, FORMAT_ERROR);
  const extension = readExtension(query, question.end);
  if (extension === "malformed") return refuse(query, FORMAT_ERROR);
  const code = extension !== undefined && extension.version > 0 ? BAD_VERSION : 0;
  return reply(query, question, extension, code, code === 0 && wantsAddress(question) ? address : undefined);
}

const wantsAddress = (question: Question): boolean =>
  (question.type === TYPE_A || question.type === TYPE_ANY) &&
  (question.class === CLASS_IN || question.class === CLASS_ANY);

function readQuestion(query: Uint8Array): Question | undefined {
  const nameEnd = skipName(query, HEADER_BYTES);
  if (nameEnd === undefined || nameEnd + 4 > query.length) return undefined;
  return { type: u16(query, nameEnd), class: u16(query, nameEnd + 2), end: nameEnd + 4 };
}

/** Offset behind a name. The first name of a message has nothing to point back to, so a compressed one is malformed. */
function skipName(query: Uint8Array, start: number): number | undefined {
  let offset = start;
  for (;;) {
    const length = query[offset];
    if (length === undefined || length > 63) return undefined;
    offset += length + 1;
    if (offset - start > MAX_NAME_BYTES || offset > query.length) return undefined;
    if (length === 0) return offset;
  }
}

/** The OPT record among the additional ones (RFC 6891, 6.1.1: at most one, its name is the root). */
function readExtension(query: Uint8Array, start: number): Extension | undefined | "malformed" {
  const count = u16(query, 10);
  if (count > MAX_ADDITIONAL_COUNT) return "malformed";
  let found: Extension | undefined;
  let offset = start;
  for (let i = 0; i < count; i++) {
    const nameEnd = skipRecordName(query, offset);
    if (nameEnd === undefined || nameEnd + 10 > query.length) return "malformed";
    if (u16(query, nameEnd) === TYPE_OPT) {
      if (found || query[offset] !== 0) return "malformed";
      found = {
        version: query[nameEnd + 5] ?? 0,
        dnssecOk: (u16(query, nameEnd + 6) & FLAG_DNSSEC_OK) !== 0,
      };
    }
    offset = nameEnd + 10 + u16(query, nameEnd + 8);
    if (offset > query.length) return "malformed";
  }
  return found;
}

/** Records behind the question may point back to its name; where to does not matter here. */
function skipRecordName(query: Uint8Array, start: number): number | undefined {
  let offset = start;
  while (offset - start < MAX_NAME_BYTES) {
    const length = query[offset];
    if (length === undefined) return undefined;
    if (length >= 0xc0) return offset + 2;
    if (length > 63) return undefined;
    offset += length + 1;
    if (length === 0) return offset;
  }
  return undefined;
}

function reply(
  query: Uint8Array,
  question: Question,
  extension: Extension | undefined,
  code: number,
  address: readonly [number, number, number, number] | undefined,
): Uint8Array {
  const answerBytes = address ? 16 : 0;
  const message = new Uint8Array(question.end + answerBytes + (extension ? 11 : 0));
  message.set(query.subarray(0, question.end), 0);
  const asked = u16(query, 2) & (FLAG_RECURSION_DESIRED | FLAG_CHECKING_DISABLED);
  put16(message, 2, FLAG_RESPONSE | FLAG_AUTHORITATIVE | FLAG_RECURSION_AVAILABLE | asked | (code & 15));
  put16(message, 6, address ? 1 : 0);
  put16(message, 10, extension ? 1 : 0);
  if (address) {
    put16(message, question.end, 0xc000 | HEADER_BYTES); // the name of the question
    put16(message, question.end + 2, TYPE_A);
    put16(message, question.end + 4, CLASS_IN);
    put16(message, question.end + 8, TTL_SECONDS);
    put16(message, question.end + 10, 4);
    message.set(address, question.end + 12);
  }
  if (extension) {
    const offset = question.end + answerBytes;
    put16(message, offset + 1, TYPE_OPT); // behind the root name, one zero
    put16(message, offset + 3, MAX_DNS_BYTES);
    message[offset + 5] = code >> 4;
    put16(message, offset + 7, extension.dnssecOk ? FLAG_DNSSEC_OK : 0);
  }
  return message;
}

/** A header alone: what cannot be understood is not repeated either. */
function refuse(query: Uint8Array, code: number): Uint8Array {
  const message = new Uint8Array(HEADER_BYTES);
  message.set(query.subarray(0, 2), 0);
  put16(message, 2, FLAG_RESPONSE | (u16(query, 2) & (0x7800 | FLAG_RECURSION_DESIRED)) | code);
  return message;
}

const u16 = (bytes: Uint8Array, offset: number): number =>
  ((bytes[offset] ?? 0) << 8) | (bytes[offset + 1] ?? 0);

function put16(bytes: Uint8Array, offset: number, value: number): void {
  bytes[offset] = value >> 8;
  bytes[offset + 1] = value & 255;
}
