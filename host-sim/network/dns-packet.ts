/**
 * DNS messages (RFC 1035, with the records that mDNS needs) to and from bytes. Every length read is bounded by the
 * packet. Keeps no names and sends nothing.
 */

export const RR = Object.freeze({
  A: 1,
  PTR: 12,
  TXT: 16,
  AAAA: 28,
  SRV: 33,
  OPT: 41,
  NSEC: 47,
  HTTPS: 65,
  ANY: 255,
});
export const CLASS_IN = 1;
/** mDNS: the top bit of the class asks for a unicast answer or flushes caches. */
export const TOP_BIT = 0x8000;
export const FLAG_RESPONSE = 0x8000;
export const FLAG_AUTHORITATIVE = 0x0400;
const LABEL_BYTES_MAX = 63;
const POINTER_COUNT_MAX = 32;

export interface DnsQuestion {
  readonly name: string;
  readonly type: number;
  readonly class: number;
}

export interface DnsRecord {
  readonly name: string;
  readonly type: number;
  readonly class: number;
  readonly ttl: number;
  /** The record's bytes; names inside are uncompressed when written by `rdata`. */
  readonly data: RecordData;
}

/** What a record says: an address, a name, a service, strings, or bytes this module does not understand. */
export type RecordData =
  | { readonly address: string }
  | { readonly target: string }
  | { readonly target: string; readonly port: number; readonly priority: number; readonly weight: number }
  | { readonly strings: readonly string[] }
  | { readonly bytes: Uint8Array };

export interface DnsMessage {
  readonly id: number;
  readonly flags: number;
  readonly questions: readonly DnsQuestion[];
  readonly answers: readonly DnsRecord[];
  readonly authorities: readonly DnsRecord[];
  readonly additionals: readonly DnsRecord[];
}

/** Builds a message from the parts that matter. */
export function dnsMessage(parts: Partial<DnsMessage>): DnsMessage {
  return { id: 0, flags: 0, questions: [], answers: [], authorities: [], additionals: [], ...parts };
}

/** The bytes of a message, without compression. */
export function encodeDns(message: DnsMessage): Uint8Array {
  const { questions, answers, authorities, additionals } = message;
  const bytes: number[] = [];
  const u16 = (value: number): number => bytes.push((value >> 8) & 0xff, value & 0xff);
  for (const value of [message.id, message.flags]) u16(value);
  for (const section of [questions, answers, authorities, additionals]) u16(section.length);
  for (const question of questions) {
    bytes.push(...encodeName(question.name));
    u16(question.type);
    u16(question.class);
  }
  for (const record of [...answers, ...authorities, ...additionals]) {
    bytes.push(...encodeName(record.name));
    u16(record.type);
    u16(record.class);
    u16(record.ttl >>> 16);
    u16(record.ttl & 0xffff);
    const data = encodeData(record.data);
    u16(data.length);
    bytes.push(...data);
  }
  return Uint8Array.from(bytes);
}

/** Reads a message. Undefined if it is cut off or malformed. */
export function decodeDns(packet: Uint8Array): DnsMessage | undefined {
  const reader = new Reader(packet);
  try {
    const [id, flags] = [reader.u16(), reader.u16()];
    const counts = [reader.u16(), reader.u16(), reader.u16(), reader.u16()] as const;
    const questions = Array.from({ length: counts[0] }, () => reader.question());
    const records = (count: number) => Array.from({ length: count }, () => reader.record());
    const [answers, authorities, additionals] = [records(counts[1]), records(counts[2]), records(counts[3])];
    return { id, flags, questions, answers, authorities, additionals };
  } catch (error) {
    if (error instanceof MalformedPacket) return undefined;
    throw error;
  }
}

/** A question for the IPv4 address of a name. */
export function addressQuery(id: number, name: string, type: number = RR.A): Uint8Array {
  return encodeDns(dnsMessage({ id, flags: 0x0100, questions: [{ name, type, class: CLASS_IN }] }));
}

/** The first IPv4 address among the answers. */
export function firstAddress(message: DnsMessage): string | undefined {
  for (const { type, data } of message.answers) if (type === RR.A && "address" in data) return data.address;
  return undefined;
}

const encoder = new TextEncoder();

function encodeName(name: string): number[] {
  const bytes: number[] = [];
  for (const label of name === "" ? [] : name.split(".")) {
    const text = encoder.encode(label).subarray(0, LABEL_BYTES_MAX);
    bytes.push(text.length, ...text);
  }
  bytes.push(0);
  return bytes;
}

function encodeData(data: RecordData): number[] {
  if ("address" in data) return data.address.split(".").map(Number);
  if ("port" in data) {
    const numbers = [data.priority, data.weight, data.port].flatMap((value) => [value >> 8, value & 0xff]);
    return [...numbers, ...encodeName(data.target)];
  }
  if ("target" in data) return encodeName(data.target);
  if ("bytes" in data) return [...data.bytes];
  if (data.strings.length === 0) return [0];
  return data.strings.flatMap((text) => {
    const bytes = encoder.encode(text).subarray(0, 255);
    return [bytes.length, ...bytes];
  });
}

class MalformedPacket extends Error {}

class Reader {
  #packet: Uint8Array;
  #offset = 0;

  constructor(packet: Uint8Array) {
    this.#packet = packet;
  }

  u8(): number {
    const value = this.#packet[this.#offset];
    if (value === undefined) throw new MalformedPacket();
    this.#offset += 1;
    return value;
  }

  u16(): number {
    return this.u8() * 256 + this.u8();
  }

  bytes(count: number): Uint8Array {
    if (this.#offset + count > this.#packet.length) throw new MalformedPacket();
    const bytes = this.#packet.slice(this.#offset, this.#offset + count);
    this.#offset += count;
    return bytes;
  }

  name(): string {
    const labels: string[] = [];
    let after: number | undefined;
    for (let jumpCount = 0; ; ) {
      const length = this.u8();
      if (length === 0) break;
      if (length >= 0xc0) {
        const target = (length & 0x3f) * 256 + this.u8();
        after ??= this.#offset;
        this.#offset = target;
        jumpCount += 1;
        if (jumpCount > POINTER_COUNT_MAX) throw new MalformedPacket();
      } else labels.push(new TextDecoder().decode(this.bytes(length)));
    }
    if (after !== undefined) this.#offset = after;
    return labels.join(".");
  }

  question(): DnsQuestion {
    return { name: this.name(), type: this.u16(), class: this.u16() };
  }

  record(): DnsRecord {
    const [name, type, recordClass] = [this.name(), this.u16(), this.u16()];
    const ttl = this.u16() * 65536 + this.u16();
    const end = this.u16() + this.#offset;
    if (end > this.#packet.length) throw new MalformedPacket();
    const data = this.#data(type, end);
    this.#offset = end;
    return { name, type, class: recordClass, ttl, data };
  }

  #data(type: number, end: number): RecordData {
    if (type === RR.A && end - this.#offset === 4) return { address: Array.from(this.bytes(4)).join(".") };
    if (type === RR.PTR) return { target: this.name() };
    if (type === RR.SRV) {
      const [priority, weight, port] = [this.u16(), this.u16(), this.u16()];
      return { priority, weight, port, target: this.name() };
    }
    if (type !== RR.TXT) return { bytes: this.bytes(end - this.#offset) };
    const strings: string[] = [];
    while (this.#offset < end) {
      const text = new TextDecoder().decode(this.bytes(this.u8()));
      if (text !== "") strings.push(text);
    }
    return { strings };
  }
}
