// Validates a (multicast) DNS packet before the SDK's parser reads it. The parser trusts its input: a name that points to itself never ends,
// a truncated record throws where nothing catches it, and a few hundred bytes can name thousands of labels. Each of these restarts the
// device, by one datagram from any client in the network. Pure.
//
//   12 bytes: id, flags, QDCOUNT, ANCOUNT, NSCOUNT, ARCOUNT │ questions: name, type, class │ records: name, type, class, ttl, length, data

const HEADER_BYTES = 12;
/** Questions and records. A whole household's services fit. */
const MAX_ENTRY_COUNT = 32;
/** Labels of all names together, and texts of TXT records: the parser makes a string of each. */
const MAX_LABEL_COUNT = 200;
/** RFC 1035, 3.1. */
const MAX_NAME_BYTES = 255;

const TYPE_A = 1;
const TYPE_PTR = 12;
const TYPE_TXT = 16;
const TYPE_SRV = 33;
const TYPE_OPT = 41;
/** Behind a record's name: type, class, time to live, length of its data. */
const RECORD_BYTES = 10;
const ADDRESS_BYTES = 4;
/** Before the name in a SRV record: priority, weight, port. */
const SERVICE_BYTES = 6;

/** The position in the packet, and the labels that may still come. */
interface Walk {
  readonly packet: Uint8Array;
  offset: number;
  labelCount: number;
}

/** Whether a packet is one that the SDK's parser can read to its end, in bounded time and memory. */
export function isSoundDns(packet: Uint8Array): boolean {
  if (packet.length < HEADER_BYTES) return false;
  const questionCount = u16(packet, 4);
  const recordCount = u16(packet, 6) + u16(packet, 8) + u16(packet, 10);
  if (questionCount + recordCount > MAX_ENTRY_COUNT) return false;
  const walk: Walk = { packet, offset: HEADER_BYTES, labelCount: MAX_LABEL_COUNT };
  for (let i = 0; i < questionCount; i++) if (!passQuestion(walk)) return false;
  for (let i = 0; i < recordCount; i++) if (!passRecord(walk)) return false;
  return true;
}

function passQuestion(walk: Walk): boolean {
  const start = walk.offset;
  if (!passName(walk) || walk.packet[start] === 0) return false;
  walk.offset += 4;
  return walk.offset <= walk.packet.length;
}

function passRecord(walk: Walk): boolean {
  const { packet } = walk;
  const start = walk.offset;
  if (!passName(walk) || walk.offset + RECORD_BYTES > packet.length) return false;
  const type = u16(packet, walk.offset);
  const data = walk.offset + RECORD_BYTES;
  const end = data + u16(packet, walk.offset + 8);
  // the root is the name of one record only (RFC 6891, 6.1.2)
  if (end > packet.length || (packet[start] === 0 && type !== TYPE_OPT)) return false;
  walk.offset = data;
  const isSound = passData(walk, type, end);
  walk.offset = end;
  return isSound;
}

function passData(walk: Walk, type: number, end: number): boolean {
  switch (type) {
    case TYPE_A:
      return end - walk.offset === ADDRESS_BYTES;
    case TYPE_PTR:
      return passName(walk) && walk.offset === end;
    case TYPE_SRV:
      walk.offset += SERVICE_BYTES;
      return walk.offset < end && passName(walk) && walk.offset === end;
    case TYPE_TXT:
      return passTexts(walk, end);
    default:
      return true;
  }
}

/** Behind a name, wherever its rest stands: a pointer leads to what came before (RFC 1035, 4.1.4), each to something still earlier. */
function passName(walk: Walk): boolean {
  const { packet } = walk;
  let offset = walk.offset;
  let earliest = offset;
  let behind = 0;
  let sizeBytes = 0;
  for (;;) {
    const length = packet[offset];
    if (length === undefined || (length > 63 && length < 0xc0)) return false;
    if (length === 0) break;
    if (length >= 0xc0) {
      const target = u16(packet, offset) & 0x3fff;
      if (offset + 1 >= packet.length || target < HEADER_BYTES || target >= earliest) return false;
      behind ||= offset + 2;
      earliest = target;
      offset = target;
      continue;
    }
    offset += length + 1;
    sizeBytes += length + 1;
    if (sizeBytes > MAX_NAME_BYTES || --walk.labelCount < 0) return false;
  }
  walk.offset = behind || offset + 1;
  return true;
}

/** The strings of a TXT record, which fill it to its end. */
function passTexts(walk: Walk, end: number): boolean {
  while (walk.offset < end) {
    walk.offset += (walk.packet[walk.offset] ?? 0) + 1;
    if (--walk.labelCount < 0) return false;
  }
  return walk.offset === end;
}

const u16 = (bytes: Uint8Array, offset: number): number =>
  ((bytes[offset] ?? 0) << 8) | (bytes[offset + 1] ?? 0);
