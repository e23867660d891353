/**
 * Whether a chain of certificates is good, as mbedTLS on the chip decides it: by the authorities and the time that it is given, never by this
 * computer's. Name constraints are not looked at, as there.
 */

import { X509Certificate } from "node:crypto";
import { isIPv4 } from "node:net";

export interface Judgement {
  readonly host: string;
  /** DER. */
  readonly authorities: readonly Uint8Array[];
  /** Seconds since 1970: it is not earlier; and what a server has said, or 0. */
  readonly earliest: number;
  readonly told: number;
}

export type ChainProblem = "untrusted" | "wrong host" | "expired" | "not yet valid";

const LONGEST = 8;
const SERVER_AUTH = "1.3.6.1.5.5.7.3.1";
const LEAST_RSA_BITS = 2048;

/** @param chain DER, as a server has sent it; `undefined`: it is good */
export function chainProblem(chain: readonly Uint8Array[], judgement: Judgement): ChainProblem | undefined {
  const [own, ...others] = chain.map((each) => new X509Certificate(each));
  const authorities = judgement.authorities.map((each) => new X509Certificate(each));
  const path = own && pathOf(own, others, authorities);
  if (!path || !isForServers(own)) return "untrusted";
  if (!isNamed(own, judgement.host)) return "wrong host";
  if (path.some(({ validTo }) => secondsOf(validTo) < judgement.earliest)) return "expired";
  const isFuture = ({ validFrom }: X509Certificate) => secondsOf(validFrom) > judgement.told;
  return judgement.told > 0 && path.some(isFuture) ? "not yet valid" : undefined;
}

/** From the server's own to an authority; `undefined`: none leads there. */
function pathOf(
  own: X509Certificate,
  others: readonly X509Certificate[],
  authorities: readonly X509Certificate[],
): X509Certificate[] | undefined {
  const path = [own];
  while (path.length < LONGEST) {
    const last = path.at(-1)!;
    const root = authorities.find((one) => isSignedBy(last, one));
    if (root) return last.raw.equals(root.raw) ? path : [...path, root];
    const next = others.find((one) => !path.includes(one) && isSignedBy(last, one));
    if (!next) return undefined;
    path.push(next);
  }
  return undefined;
}

const isSignedBy = (one: X509Certificate, issuer: X509Certificate): boolean =>
  issuer.ca && isStrong(issuer) && one.checkIssued(issuer) && one.verify(issuer.publicKey);

const isStrong = ({ publicKey }: X509Certificate): boolean =>
  publicKey.asymmetricKeyType !== "rsa" ||
  (publicKey.asymmetricKeyDetails?.modulusLength ?? 0) >= LEAST_RSA_BITS;

function isForServers(own: X509Certificate): boolean {
  const uses = own.keyUsage as readonly string[] | undefined; // the extended ones, by their numbers
  return uses === undefined || uses.includes(SERVER_AUTH);
}

const isNamed = (own: X509Certificate, host: string): boolean =>
  (isIPv4(host) ? own.checkIP(host) : own.checkHost(host, { partialWildcards: false })) !== undefined;

const secondsOf = (date: string): number => Date.parse(date) / 1000;
