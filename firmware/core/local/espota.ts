// espota, the push protocol of PlatformIO and the Arduino tools: an invitation by UDP, a challenge, and then the device fetches the
// image from the sender. It has no signatures, so it is on only where the owner accepts unsigned images. This machine
// authenticates the sender; the transfer is that of every push.
//
//   sender  "0 <tcp port> <size> <md5>"      ─►  "AUTH <nonce>"                                                          device
//           "200 <cnonce> <answer>"          ─►  "OK", and the device connects to the sender's TCP port
//
// The expected answer depends on the sender's generation; one nonce of 64 digits serves all of them:
//   Arduino core 3.3.1 and newer   key = PBKDF2-HMAC-SHA256(sha256(token), nonce:cnonce, 10 000), sha256(key:nonce:cnonce)
//   the ESP8266 core's             md5(md5(token):nonce:cnonce)
//   arduino-esp32 2.x, PlatformIO  the same with the first 32 digits: it reads 37 bytes of "AUTH <nonce>"
// Digests are lower-case hex everywhere. One invitation at a time, one answer to a challenge; the newest sends it from another port.

import { textsEqual } from "../bytes.js";
import type { Effect } from "../effect.js";
import type { PushOffer, Raise, Stamped } from "../event.js";
import { espotaIsOn, type PushState } from "./push.js";

/** A challenge expires after this. */
const CHALLENGE_MS = 10_000;
const NONCE_DIGITS = 64;
/** What arduino-esp32 2.x reads of it. */
const READ_NONCE_DIGITS = 32;
const MD5_DIGITS = 32;
/** Rounds of PBKDF2, as the sender does them. */
const KEY_ROUNDS = 10_000;
const MAX_PORT = 65_535;

interface Invitation {
  readonly address: string;
  readonly replyPort: number;
  readonly port: number;
  readonly sizeBytes: number;
  readonly md5: string;
  readonly nonce: string;
  readonly at: number;
  /** The sender's nonce and its answer, once they came. */
  readonly clientNonce: string;
  readonly answer: string;
  /** The digest of the token, or the key derived from it. */
  readonly key: string;
  /** `hashingWhole`: the answer to the whole nonce, when the one to its first half was not given. */
  readonly step: "challenged" | "hashingToken" | "derivingKey" | "hashingAnswer" | "hashingWhole";
}

export interface EspotaState {
  readonly invitation: Invitation | undefined;
  /** The random numbers of the last events as hex digits, the last first: one event has only 32 bits. */
  readonly chance: string;
  /** Connections that the device opens are numbered downwards from -1. */
  readonly connection: number;
}

export const initialEspota: EspotaState = Object.freeze({
  invitation: undefined,
  chance: "0".repeat(NONCE_DIGITS),
  connection: 0,
});

type Step = readonly [EspotaState, readonly (Effect | Raise)[]];

export function espotaStep(state: EspotaState, push: PushState, event: Stamped): Step {
  switch (event.type) {
    case "booted":
    case "wifiJoined":
    case "timerFired":
      return [gather(state, event.random), []];
    case "datagramReceived":
      if (!espotaIsOn(push)) return [state, []];
      return event.text.startsWith("200 ")
        ? answered(state, push, event)
        : invited(gather(state, event.random), push, event);
    case "textHashed":
      return state.invitation && state.invitation.step !== "challenged"
        ? hashed(state, state.invitation, event.digest)
        : [state, []];
    default:
      return [state, []];
  }
}

function gather(state: EspotaState, random: number): EspotaState {
  const digits = Math.floor(random * 2 ** 32)
    .toString(16)
    .padStart(8, "0");
  return { ...state, chance: (digits + state.chance).slice(0, NONCE_DIGITS) };
}

type Datagram = Stamped & { readonly address: string; readonly port: number; readonly text: string };

function invited(state: EspotaState, push: PushState, { address, port, text, at }: Datagram): Step {
  const reply = (answer: string): Effect => ({ type: "sendDatagram", address, port, text: answer });
  const match = /^(\d{1,3}) (\d{1,5}) (\d{1,10}) ([0-9a-f]{32})\s*$/.exec(text);
  if (!match) return [state, []];
  const [, command = "", hostPort = "", size = "", md5 = ""] = match;
  const sizeBytes = Number(size);
  if (hostPort === "0" || Number(hostPort) > MAX_PORT)
    return [state, [reply(`ERROR: ${hostPort} is no port`)]];
  if (command !== "0") return [state, [reply(`ERROR: command ${command} is not known, firmware is 0`)]];
  if (sizeBytes === 0 || sizeBytes > push.slotBytes) {
    return [state, [reply(`ERROR: image is ${sizeBytes} bytes, slot is ${push.slotBytes}`)]];
  }
  const invitation: Invitation = {
    address,
    replyPort: port,
    port: Number(hostPort),
    sizeBytes,
    md5,
    nonce: state.chance,
    at,
    clientNonce: "",
    answer: "",
    key: "",
    step: "challenged",
  };
  return [{ ...state, invitation }, [reply(`AUTH ${state.chance}`)]];
}

function answered(state: EspotaState, push: PushState, { address, port, text, at }: Datagram): Step {
  const { invitation } = state;
  const match = /^200 (\S{1,64}) ([0-9a-f]{64}|[0-9a-f]{32})\s*$/.exec(text);
  const isExpected =
    invitation?.step === "challenged" && invitation.address === address && at - invitation.at < CHALLENGE_MS;
  if (!isExpected || !match) return [{ ...state, invitation: undefined }, []];
  const [, clientNonce = "", answer = ""] = match;
  return [
    { ...state, invitation: { ...invitation, replyPort: port, clientNonce, answer, step: "hashingToken" } },
    [{ type: "hashText", algorithm: algorithmOf(answer), text: push.token }],
  ];
}

const algorithmOf = (answer: string) => (answer.length === MD5_DIGITS ? "MD5" : "SHA256");

/** The next step of computing the expected answer. */
function hashed(state: EspotaState, invitation: Invitation, digest: string): Step {
  const { step, nonce, answer } = invitation;
  const isOld = algorithmOf(answer) === "MD5";
  switch (step) {
    case "hashingToken":
      return isOld
        ? hashAnswer(
            state,
            { ...invitation, key: digest },
            "hashingAnswer",
            nonce.slice(0, READ_NONCE_DIGITS),
          )
        : deriveKey(state, invitation, digest);
    case "derivingKey":
      return hashAnswer(state, { ...invitation, key: digest }, "hashingAnswer", nonce);
    case "hashingAnswer":
      return isOld && !textsEqual(digest, answer)
        ? hashAnswer(state, invitation, "hashingWhole", nonce)
        : concluded({ ...state, invitation: undefined }, invitation, digest);
    default:
      return concluded({ ...state, invitation: undefined }, invitation, digest);
  }
}

const deriveKey = (state: EspotaState, invitation: Invitation, password: string): Step => [
  { ...state, invitation: { ...invitation, step: "derivingKey" } },
  [
    {
      type: "deriveKey",
      for: "espota",
      password,
      salt: `${invitation.nonce}:${invitation.clientNonce}`,
      rounds: KEY_ROUNDS,
    },
  ],
];

const hashAnswer = (
  state: EspotaState,
  invitation: Invitation,
  step: Invitation["step"],
  nonce: string,
): Step => [
  { ...state, invitation: { ...invitation, step } },
  [
    {
      type: "hashText",
      algorithm: algorithmOf(invitation.answer),
      text: `${invitation.key}:${nonce}:${invitation.clientNonce}`,
    },
  ],
];

function concluded(free: EspotaState, invitation: Invitation, digest: string): Step {
  const { address, replyPort, port, sizeBytes, md5, answer } = invitation;
  if (!textsEqual(digest, answer)) {
    return [free, [{ type: "sendDatagram", address, port: replyPort, text: "Authentication Failed" }]];
  }
  const connection = free.connection - 1;
  const offer: PushOffer = { connection, sizeBytes, espota: { address, port, replyPort, md5 } };
  return [{ ...free, connection }, [{ type: "raise", event: { type: "pushOffered", offer } }]];
}
