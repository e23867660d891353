// Paired devices: what they tell each other, and what they believe.

import type { Mutation } from "./mutation.js";

const PAIR = "firmware/core/pair";

export const MUTATIONS: readonly Mutation[] = [
  {
    what: "a longer frame is read as a version packet",
    file: `${PAIR}/version-packet.ts`,
    original: "frame.length !== VERSION_PACKET_BYTES",
    mutated: "frame.length < VERSION_PACKET_BYTES",
  },
  {
    what: "the versions are big-endian",
    file: `${PAIR}/version-packet.ts`,
    original: "view.setUint32(6, packet.minCompatible, true);",
    mutated: "view.setUint32(6, packet.minCompatible);",
  },
  {
    what: "a text of the air may have control characters",
    file: `${PAIR}/version-packet.ts`,
    original: "    if (!isPrintable(code)) return undefined;\n",
    mutated: "",
  },
  {
    what: "only one side's demand counts",
    file: `${PAIR}/compatibility.ts`,
    original: "if (own.firmwareVersion < peer.minCompatible)",
    mutated: "if (own.firmwareVersion < 0)",
  },
  {
    what: "data is believed whatever the peer runs",
    file: `${PAIR}/peer.ts`,
    original: "return isCompatible(state) && packet.protocolVersion",
    mutated: "return state.isConnected && packet.protocolVersion",
  },
  {
    what: "data of another protocol is believed",
    file: `${PAIR}/peer.ts`,
    original: "packet.protocolVersion === state.own?.protocolVersion",
    mutated: "packet.protocolVersion >= 0",
  },
  {
    what: "any device of the type is the peer",
    file: `${PAIR}/peer.ts`,
    original: 'return state.mac === "" || state.mac === frame.from',
    mutated: "return state.mac !== frame.isBroadcast.toString()",
  },
  {
    what: "the peer is another one after each start",
    file: `${PAIR}/peer.ts`,
    original: 'mac: isAddress(mac) ? mac : ""',
    mutated: 'mac: isAddress(mac) ? "" : ""',
  },
  {
    what: "a silent peer stays connected",
    file: `${PAIR}/peer.ts`,
    original: "if (state.isConnected && leftMs > 0)",
    mutated: "if (state.isConnected)",
  },
  {
    what: "each question in the air is answered",
    file: `${PAIR}/peer.ts`,
    original: "if (!isAnswered || frame.at - state.answeredAtMs < ANSWER_GAP_MS)",
    mutated: "if (!isAnswered)",
  },
  {
    what: "what comes twice is read twice",
    file: `${PAIR}/peer-data.ts`,
    original: "if (state.received.includes(sequence)) return [state, [acknowledgement]];",
    mutated: "",
  },
  {
    what: "data is sent again for ever",
    file: `${PAIR}/peer-data.ts`,
    original: "outgoing.tryCount >= MAX_TRIES || ",
    mutated: "",
  },
  {
    what: "an older acknowledgement counts for newer data",
    file: `${PAIR}/peer-data.ts`,
    original: "if (outgoing?.sequence !== sequence) return [state, NOTHING];",
    mutated: "if (!outgoing) return [state, NOTHING];",
  },
  {
    what: "the leader's own device does not hear that its other slot is reserved",
    file: "firmware/apps/receiver/core/receiver.ts",
    original:
      '      else if (effect?.type === "tellSelf") this.#gateway(this.#stamped(effect.event));\n      else if (effect) this.effects.push(effect);\n',
    mutated: '      else if (effect && effect.type !== "tellSelf") this.effects.push(effect);\n',
  },
];
