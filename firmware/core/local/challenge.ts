// Proof of the owner's token without the token: the device gives a nonce, and the client answers with an HMAC about it and about the body that
// it is going to send. Who listens learns nothing that could be used again, or for another body. Only values: hashes are effects.
//
//   client                                                        device
//   POST /update                                             ─►
//                              ◄─  401, WWW-Authenticate: Skyslot realm="base-3eece8", nonce="1-5f…", rounds=10000
//   Authorization: Skyslot nonce="1-5f…", sha256="…", mac="…" ─►
//
//   sha256 = of the body; of the image, where the body is a form with an image in it
//   key    = PBKDF2-HMAC-SHA256(token, salt "skyslot:" realm, rounds), 32 bytes as 64 hex digits
//   mac    = HMAC-SHA256(these 64 digits as text, "skyslot-1" LF nonce LF method " " path LF sha256)
//
// All hex is lower case, `path` has its query. A nonce is accepted once, for a minute, from the address that it was given to, whether the answer
// was right or not. The rounds are for who has listened, and guesses tokens: each guess costs as much as 10 000. The device does them once.

import { gatherChance as gather, NO_CHANCE } from "../chance.js";
import type { Stamped } from "../event.js";

/** Of the whole table; further ones replace the oldest, those of the same address first. */
const MAX_NONCE_COUNT = 8;
const MAX_NONCES_AN_ADDRESS = 3;
const NONCE_MS = 60_000;
/** Of PBKDF2; they take an ESP32-C3 about 1.2 s, once for a token. */
export const KEY_ROUNDS = 10_000;
const SCHEME = "Skyslot";

/** The challenges that were given. */
export interface Challenges {
  /** The oldest first. */
  readonly nonces: readonly Nonce[];
  /** Of the nonces since the boot: it makes each of them another. */
  readonly count: number;
  /** The random numbers of the last events as hex digits, the last first: one event has only 32 bits. */
  readonly chance: string;
}

interface Nonce {
  readonly text: string;
  readonly address: string;
  readonly untilMs: number;
}

/** What a client has sent. */
export interface Answer {
  readonly nonce: string;
  readonly sha256: string;
  readonly mac: string;
}

export const noChallenges: Challenges = Object.freeze({
  nonces: Object.freeze([]),
  count: 0,
  chance: NO_CHANCE,
});

type Asked = Pick<Stamped, "at" | "random"> & { readonly address?: string | undefined };

export const gatherChance = (challenges: Challenges, random: number): Challenges => ({
  ...challenges,
  chance: gather(challenges.chance, random),
});

/** A nonce for who asks, and the header that carries it. @param acceptsBearer the token itself does, too */
export function challenge(
  challenges: Challenges,
  { address = "", at, random }: Asked,
  realm: string,
  acceptsBearer: boolean,
): readonly [Challenges, Readonly<Record<string, string>>] {
  const next = gatherChance(challenges, random);
  const count = challenges.count + 1;
  const text = `${count}-${next.chance}`;
  const valid = challenges.nonces.filter(({ untilMs }) => untilMs > at);
  const own = valid.filter((nonce) => nonce.address === address);
  const kept = own.length < MAX_NONCES_AN_ADDRESS ? valid : valid.filter((nonce) => nonce !== own[0]);
  const nonces = [...kept, { text, address, untilMs: at + NONCE_MS }].slice(-MAX_NONCE_COUNT);
  const ours = `${SCHEME} realm="${realm}", nonce="${text}", rounds=${KEY_ROUNDS}`;
  return [
    { ...next, nonces, count },
    {
      "www-authenticate": acceptsBearer ? `${ours}, Bearer` : ours,
      // for the device's own page, which pushes to another port
      "access-control-expose-headers": "www-authenticate",
    },
  ];
}

/** The answer in an Authorization header; undefined: it is of another scheme; "malformed": of this one, and cannot be read. */
export function readAnswer(authorization: string | undefined): Answer | "malformed" | undefined {
  if (authorization?.slice(0, SCHEME.length + 1).toLowerCase() !== `${SCHEME.toLowerCase()} `)
    return undefined;
  const match = /^nonce="([0-9a-f-]{1,48})", *sha256="([0-9a-f]{64})", *mac="([0-9a-f]{64})"$/.exec(
    authorization.slice(SCHEME.length + 1).trim(),
  );
  if (!match) return "malformed";
  const [, nonce = "", sha256 = "", mac = ""] = match;
  return { nonce, sha256, mac };
}

/** Takes the nonce of an answer out of the table: undefined if it is not in it, has expired, or was given to another address. */
export function takeNonce(
  challenges: Challenges,
  { nonce }: Answer,
  { address = "", at }: Omit<Asked, "random">,
): Challenges | undefined {
  const found = challenges.nonces.find(({ text }) => text === nonce);
  if (!found || found.address !== address || at >= found.untilMs) return undefined;
  return { ...challenges, nonces: challenges.nonces.filter((one) => one !== found) };
}

/** What the MAC of an answer is about, without the SHA-256 of the body, which follows. */
export const challengeText = (nonce: string, method: string, path: string): string =>
  `skyslot-1\n${nonce}\n${method} ${path}\n`;
