// Whether a request comes from the owner, by an answer to a challenge (challenge.ts) or by the token itself: what is computed for that, and how often it was
// wrong. One for each port; never answers a request, that does who has asked.
//
//   examine ─ wrong too often from there ─► "slowed"
//      ├───── no credentials ─► "unknown"                   challengeFor ─► the header of a 401
//      ├───── the token ─► "right", "wrong"
//      └───── an answer ─ nonce not known ─► "stale"
//                └──────► "computing" ─► keyDerived, once for a token ─► macMade ─► right or wrong

import { textsEqual } from "../bytes.js";
import type { Effect } from "../effect.js";
import type { Booted, Stamped } from "../event.js";
import {
  type Answer,
  type Challenges,
  challenge,
  challengeText,
  gatherChance,
  KEY_ROUNDS,
  noChallenges,
  readAnswer,
  takeNonce,
} from "./challenge.js";
import { noteRight, noteWrong, noWrongTokens, type WrongTokens, waitMs } from "./wrong-tokens.js";

/** Who asks. */
export interface Asker {
  readonly connection: number;
  readonly method: string;
  /** With its query. */
  readonly path: string;
  /** Absent: not known. */
  readonly address?: string | undefined;
  readonly authorization?: string | undefined;
  /** Of a small request: then it is hashed here; absent: the body is an image, and hashed when it has come. */
  readonly body?: string;
}

/** What the proof is of. */
export interface Owner {
  /** Empty: nobody is the owner. */
  readonly token: string;
  /** The token is accepted as it is, too. */
  readonly acceptsBearer: boolean;
  /** What the token's key is made for: the device's id. */
  readonly realm: string;
  /** A random number of the boot, 0 (included) to 1 (excluded): nonces begin with it. */
  readonly bootRandom: number;
}

/** Made when it is needed, so that nobody keeps a copy. @param boot undefined: the device has not started yet */
export const ownerSince = (
  boot: Stamped<Booted> | undefined,
  token: string,
  acceptsBearer: boolean,
): Owner => ({
  token,
  acceptsBearer,
  realm: boot?.identity.deviceId ?? "",
  bootRandom: boot?.random ?? 0,
});

/** What is remembered between requests. Nothing before the first one: until then it is a constant, in flash. */
export interface OwnerProof<Any extends Asker> {
  /** Made of token and realm; empty: not yet. */
  readonly key: string;
  readonly challenges: Challenges;
  readonly wrong: WrongTokens;
  /** Their answers are being computed; at most MAX_WAITING_COUNT. */
  readonly waiting: readonly { readonly asker: Any; readonly answer: Answer }[];
}

const MAX_TOKEN_CHARACTERS = 256;
const MAX_WAITING_COUNT = 4;

export const noOwnerProof: OwnerProof<never> = Object.freeze({
  key: "",
  challenges: noChallenges,
  wrong: noWrongTokens,
  waiting: Object.freeze([]),
});

export type Verdict =
  | { readonly is: "right" | "wrong" | "unknown" | "stale" | "malformed" | "busy" | "bearerIsOff" }
  | { readonly is: "slowed"; readonly seconds: number }
  | { readonly is: "computing"; readonly effect: Effect };

type Stamp = Pick<Stamped, "at" | "random">;
type Judged<Any extends Asker> = readonly [OwnerProof<Any>, Verdict];

/** Looks at the credentials of a request; only for devices that have a token. */
export function examine<Any extends Asker>(
  proof: OwnerProof<Any>,
  owner: Owner,
  asker: Any,
  at: number,
): Judged<Any> {
  const { authorization = "" } = asker;
  const answer = readAnswer(authorization);
  const given = /^Bearer +(\S.*)$/i.exec(authorization)?.[1];
  if (answer === undefined && given === undefined) return [proof, { is: "unknown" }];
  const seconds = Math.ceil(waitMs(proof.wrong, { address: asker.address, at }) / 1000);
  if (seconds > 0) return [proof, { is: "slowed", seconds }];
  if (answer !== undefined) return examineAnswer(proof, owner, { asker, answer }, at);
  if (!owner.acceptsBearer) return [proof, { is: "bearerIsOff" }];
  const isRight =
    given !== undefined && given.length <= MAX_TOKEN_CHARACTERS && textsEqual(given, owner.token);
  return [noted(proof, asker, isRight, at), { is: isRight ? "right" : "wrong" }];
}

function examineAnswer<Any extends Asker>(
  proof: OwnerProof<Any>,
  owner: Owner,
  { asker, answer }: { readonly asker: Any; readonly answer: Answer | "malformed" },
  at: number,
): Judged<Any> {
  if (answer === "malformed") return [proof, { is: "malformed" }];
  const challenges = takeNonce(proof.challenges, answer, { address: asker.address, at });
  if (!challenges) return [proof, { is: "stale" }];
  if (proof.waiting.length >= MAX_WAITING_COUNT) return [proof, { is: "busy" }];
  const next = { ...proof, challenges, waiting: [...proof.waiting, { asker, answer }] };
  const effect = proof.key === "" ? deriveKey(owner) : makeMac(proof.key, asker, answer);
  return [next, { is: "computing", effect }];
}

/** A nonce for who asks, in the headers of a 401. */
export function challengeFor<Any extends Asker>(
  proof: OwnerProof<Any>,
  owner: Owner,
  { address }: Asker,
  { at, random }: Stamp,
): readonly [OwnerProof<Any>, Readonly<Record<string, string>>] {
  const asked = { address, at, random };
  const before =
    proof.challenges.count === 0 ? gatherChance(noChallenges, owner.bootRandom) : proof.challenges;
  const [challenges, headers] = challenge(before, asked, owner.realm, owner.acceptsBearer);
  return [{ ...proof, challenges }, headers];
}

/** The effects that go on, and who cannot be served because there was no memory for the key. */
export function keyDerived<Any extends Asker>(
  proof: OwnerProof<Any>,
  key: string,
): readonly [OwnerProof<Any>, readonly Effect[], turnedAway: readonly Any[]] {
  if (key === "") return [{ ...proof, waiting: NOBODY }, [], proof.waiting.map(({ asker }) => asker)];
  return [{ ...proof, key }, proof.waiting.map(({ asker, answer }) => makeMac(key, asker, answer)), NOBODY];
}

/** The request that has waited for this MAC, and the SHA-256 that its owner has agreed to; undefined: none has. */
export function macMade<Any extends Asker>(
  proof: OwnerProof<Any>,
  { connection, mac, at }: { readonly connection: number; readonly mac: string; readonly at: number },
): readonly [OwnerProof<Any>, asker: Any, isRight: boolean, sha256: string] | undefined {
  const found = proof.waiting.find(({ asker }) => asker.connection === connection);
  if (!found) return undefined;
  const { asker, answer } = found;
  const isRight = textsEqual(mac, answer.mac);
  return [noted(withoutConnection(proof, connection), asker, isRight, at), asker, isRight, answer.sha256];
}

/** Another token counts; who waited for the key of the one before cannot be served. */
export const withoutKey = <Any extends Asker>(
  proof: OwnerProof<Any>,
): readonly [OwnerProof<Any>, turnedAway: readonly Any[]] => [
  proof.key === "" && proof.waiting.length === 0 ? proof : { ...proof, key: "", waiting: NOBODY },
  proof.waiting.map(({ asker }) => asker),
];

export const withoutConnection = <Any extends Asker>(proof: OwnerProof<Any>, connection: number) =>
  proof.waiting.length === 0
    ? proof
    : { ...proof, waiting: proof.waiting.filter(({ asker }) => asker.connection !== connection) };

const NOBODY: readonly never[] = Object.freeze([]);

function noted<Any extends Asker>(
  proof: OwnerProof<Any>,
  { address }: Asker,
  isRight: boolean,
  at: number,
): OwnerProof<Any> {
  const wrong = isRight ? noteRight(proof.wrong, { address }) : noteWrong(proof.wrong, { address, at });
  return { ...proof, wrong };
}

const deriveKey = ({ token, realm }: Owner): Effect => ({
  type: "deriveKey",
  for: "owner",
  password: token,
  salt: `skyslot:${realm}`,
  rounds: KEY_ROUNDS,
});

const makeMac = (
  key: string,
  { connection, method, path, body }: Asker,
  { nonce, sha256 }: Answer,
): Effect =>
  body === undefined
    ? { type: "makeMac", connection, key, text: challengeText(nonce, method, path) + sha256 }
    : { type: "makeMac", connection, key, text: challengeText(nonce, method, path), hashed: body };
