/**
 * The answer of a small DNS server to one query: A records for names it knows, NXDOMAIN for others, an empty answer for
 * other types. Sends nothing itself.
 */

import { CLASS_IN, decodeDns, dnsMessage, encodeDns, FLAG_RESPONSE, RR } from "./dns-packet.js";

const RECURSION_AVAILABLE = 0x0080;
const NAME_ERROR = 3;

/** The response packet, or undefined if the packet is no query. */
export function answerFrom(
  packet: Uint8Array,
  resolve: (name: string) => string | undefined,
): Uint8Array | undefined {
  const query = decodeDns(packet);
  const question = query?.questions[0];
  if (query === undefined || question === undefined || query.flags & FLAG_RESPONSE) return undefined;
  const address = resolve(question.name.toLowerCase());
  const flags = FLAG_RESPONSE | (query.flags & 0x0100) | RECURSION_AVAILABLE;
  const { name } = question;
  const isAnswered = address !== undefined && question.type === RR.A;
  return encodeDns(
    dnsMessage({
      id: query.id,
      flags: address === undefined ? flags | NAME_ERROR : flags,
      questions: [question],
      answers: isAnswered ? [{ name, type: RR.A, class: CLASS_IN, ttl: 60, data: { address } }] : [],
    }),
  );
}
