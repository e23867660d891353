// Who may push an image in the device's own network, and prove the owner's token: firmware/core/local/push.ts and what it stands on.

import type { Mutation } from "./mutation.js";

const file = "firmware/core/local/push.ts";
const request = "firmware/core/local/push-request.ts";
const proof = "firmware/core/local/owner-proof.ts";
const challenge = "firmware/core/local/challenge.ts";
const wrong = "firmware/core/local/wrong-tokens.ts";

export const MUTATIONS: readonly Mutation[] = [
  {
    what: "an unsigned image is accepted although the owner has not allowed it",
    file: request,
    original: "release === undefined && !taker.acceptUnsigned",
    mutated: "false",
  },
  {
    what: "the token is never compared",
    file: proof,
    original: "given.length <= MAX_TOKEN_CHARACTERS && textsEqual(given, owner.token)",
    mutated: "given.length <= MAX_TOKEN_CHARACTERS",
  },
  {
    what: "the beginning of the token is enough",
    file: proof,
    original: "textsEqual(given, owner.token)",
    mutated: "owner.token.startsWith(given)",
  },
  {
    what: "a device without a token accepts pushes",
    file: request,
    original: "return taker.hasToken ? undefined :",
    mutated: "return true ? undefined :",
  },
  {
    what: "a request without credentials is compared with the token",
    file: proof,
    original: 'if (answer === undefined && given === undefined) return [proof, { is: "unknown" }];',
    mutated: "",
  },
  {
    what: "an image of exactly the slot's size is refused",
    file: request,
    original: "sizeBytes > taker.slotBytes",
    mutated: "sizeBytes >= taker.slotBytes",
  },
  {
    what: "an image that is larger than the slot is accepted",
    file: request,
    original: "sizeBytes > taker.slotBytes",
    mutated: "false",
  },
  {
    what: "an empty body is accepted",
    file: request,
    original: "if (sizeBytes === 0)",
    mutated: "if (false)",
  },
  {
    what: "any page's preflight request is allowed",
    file: request,
    original: "if (allowedOrigin(head) === undefined)\n    return",
    mutated: "if (false) return",
  },
  {
    what: "espota is open though unsigned images are not allowed",
    file: file,
    original: 'state.token !== "" && state.acceptUnsigned',
    mutated: 'state.token !== "" || state.acceptUnsigned',
  },
  {
    what: "unsigned images are allowed unless they are switched off",
    file: file,
    original: 'stored[UNSIGNED_KEY] === "1"',
    mutated: 'stored[UNSIGNED_KEY] !== "0"',
  },
  {
    what: "a push to another path is accepted",
    file: request,
    original: "if (!PUSH_PATHS.includes(path)) return",
    mutated: "if (false) return",
  },
  {
    what: "the release of a push is dropped, and its image accepted unsigned",
    file: request,
    original: "...(release === undefined ? {} : { release }),",
    mutated: "",
  },
  {
    what: "a nonce is accepted again",
    file: challenge,
    original: "nonces: challenges.nonces.filter((one) => one !== found)",
    mutated: "nonces: challenges.nonces",
  },
  {
    what: "a nonce never expires",
    file: challenge,
    original: " || at >= found.untilMs",
    mutated: "",
  },
  {
    what: "a nonce is accepted from any address",
    file: challenge,
    original: " || found.address !== address",
    mutated: "",
  },
  {
    what: "two nonces may be the same",
    file: challenge,
    original: "const count = challenges.count + 1;",
    mutated: "const count = challenges.count;",
  },
  {
    what: "one address uses up all nonces",
    file: challenge,
    original: "own.length < MAX_NONCES_AN_ADDRESS ? valid",
    mutated: "true ? valid",
  },
  {
    what: "any answer to a nonce is right",
    file: proof,
    original: "const isRight = textsEqual(mac, answer.mac);",
    mutated: "const isRight = true;",
  },
  {
    what: "the first digits of a MAC are enough",
    file: proof,
    original: "const isRight = textsEqual(mac, answer.mac);",
    mutated: "const isRight = mac.slice(0, 8) === answer.mac.slice(0, 8);",
  },
  {
    what: "the body of a small request is not hashed",
    file: proof,
    original: "  body === undefined\n    ?",
    mutated: "  true\n    ?",
  },
  {
    what: "the token is taken as it is though its owner has switched that off",
    file: proof,
    original: 'if (!owner.acceptsBearer) return [proof, { is: "bearerIsOff" }];',
    mutated: "",
  },
  {
    what: "the key of the token before is used on",
    file: proof,
    original: '{ ...proof, key: "", waiting: NOBODY }',
    mutated: "{ ...proof, waiting: NOBODY }",
  },
  {
    what: "a key that could not be derived counts",
    file: proof,
    original: 'if (key === "") return',
    mutated: "if (false) return",
  },
  {
    what: "the digest that the owner has agreed to is forgotten",
    file: file,
    original: "sha256 === undefined ? offer : { ...offer, sha256 }",
    mutated: "offer",
  },
  {
    what: "an unsigned image is not compared with the digest that its owner has agreed to",
    file: "firmware/core/update/proof.ts",
    original: 'job.signed || sha256 !== ""',
    mutated: "job.signed",
  },
  {
    what: "the release is not compared with the digest that its owner has agreed to",
    file: "firmware/core/update/pushed-update.ts",
    original: "if (sha256 !== checked.value.sha256) {",
    mutated: "if (false) {",
  },
  {
    what: "wrong tokens cost nothing",
    file: proof,
    original: "if (seconds > 0) return",
    mutated: "if (false) return",
  },
  {
    what: "wrong answers to challenges are not counted",
    file: proof,
    original: "return [noted(withoutConnection(proof, connection), asker, isRight, at), asker,",
    mutated: "return [withoutConnection(proof, connection), asker,",
  },
  {
    what: "guesses from ever new addresses are not slowed down",
    file: wrong,
    original: "Math.ceil(excess * ONE_COMES_BACK_MS)",
    mutated: "0",
  },
  {
    what: "an owner is kept out by somebody else's guesses",
    file: wrong,
    original: "wrong.known.includes(address) ? 0 :",
    mutated: "false ? 0 :",
  },
  {
    what: "the table of wrong addresses grows",
    file: wrong,
    original: ".slice(-MAX_ADDRESS_COUNT)",
    mutated: "",
  },
];
