// Paired devices: what they tell each other, and what they believe.

import type { Mutation } from "./mutation.js";

const PAIR = "firmware/core/pair";
const RECEIVER = "firmware/apps/receiver/core";

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
  {
    what: "the pair's machine does not hear its timers",
    file: `${PAIR}/peer-turn.ts`,
    original: '(event.type === "timerFired" && PAIR_TIMERS.includes(event.timer ?? ""));',
    mutated: 'event.type === "peerForgotten";',
  },
  {
    what: "answers to probes are not the pair's",
    file: `${PAIR}/peer-turn.ts`,
    original: "Object.freeze([DATA, PROBE, ACK, ANNOUNCE, REQUEST, RESPONSE]);",
    mutated: "Object.freeze([DATA, PROBE, ANNOUNCE, REQUEST, RESPONSE]);",
  },
  {
    what: "news of the peer is carried out like an effect",
    file: `${PAIR}/peer-turn.ts`,
    original: 'if (effect.type === "raise") raised.push(effect.event);',
    mutated: 'if (effect.type === "raise") effects.push(effect as never);',
  },
  {
    what: "who has no token installs images on a pair",
    file: `${RECEIVER}/pair-api.ts`,
    original: 'isFacts ? "read" : "change"',
    mutated: '"read"',
  },
  {
    what: "two updates of a pair are begun at once",
    file: `${RECEIVER}/pair-api.ts`,
    original: "if (busy) return busy;",
    mutated: "",
  },
  {
    what: "one device of two goes back alone",
    file: `${RECEIVER}/pair-api.ts`,
    original: 'if (isOfBoth && queryValue(place.request.path, "device") !== "both")',
    mutated: 'if (isOfBoth && queryValue(place.request.path, "device") === undefined)',
  },
  {
    what: "uploaded images that do not work together are installed",
    file: `${RECEIVER}/uploaded-job.ts`,
    original: "(isForced ? undefined : misfit(devices, stock));",
    mutated: "undefined;",
  },
  {
    what: "a new image of both is compared with what the receiver runs still",
    file: `${RECEIVER}/uploaded-job.ts`,
    original: 'devices === "both" ? staged && spokenBy(staged) : running;',
    mutated: "running;",
  },
  {
    what: "an image that is not newer is sent to the transmitter",
    file: `${RECEIVER}/uploaded-job.ts`,
    original: "versionNumber(parsedVersion) > peer.number) return undefined;",
    mutated: "versionNumber(parsedVersion) >= peer.number) return undefined;",
  },
  {
    what: "both uploaded images start at once",
    file: `${RECEIVER}/uploaded-job.ts`,
    original: "step: isBoth ? 1 : 0 };",
    mutated: "step: 0 };",
  },
  {
    what: "an upload for the transmitter is taken before its signature is verified",
    file: `${RECEIVER}/peer-upload.ts`,
    original: "if (!after.ok) return refuse(state, upload.connection, 422, after.failure.message);",
    mutated:
      "if (!after.ok) return verified(state, { ...upload, verification: { ...upload.verification, needed: 1 } }, true);",
  },
  {
    what: "an upload for another device is taken for the transmitter",
    file: `${RECEIVER}/peer-upload.ts`,
    original: "if (release.type !== OTHER)",
    mutated: 'if (release.type === "")',
  },
  {
    what: "more is read of an upload than the cache takes",
    file: `${RECEIVER}/peer-upload.ts`,
    original: "Math.min(availableBytes, wantedBytes, leftBytes)",
    mutated: "Math.min(availableBytes, leftBytes)",
  },
  {
    what: "the end of a form is written behind its file",
    file: `${RECEIVER}/peer-upload.ts`,
    original: 'const phase = leftBytes > 0 ? upload.phase : "proving";',
    mutated: "const { phase } = upload;",
  },
  {
    what: "a sender that stalls keeps all others out",
    file: `${RECEIVER}/peer-upload.ts`,
    original: '? dropped(state, upload, 408, "nothing has come for 30 s")',
    mutated: "? [state, NOTHING]",
  },
  {
    what: "an update begins outside of its window",
    file: `${RECEIVER}/leader.ts`,
    original: "if (delayMs > 0) this.effects.push(",
    mutated: "if (delayMs < 0) this.effects.push(",
  },
  {
    what: "an update that only is to be shown begins by itself",
    file: `${RECEIVER}/leader.ts`,
    original: "if (!available || !installs || hasFailed(",
    mutated: "if (!available || hasFailed(",
  },
  {
    what: "reports of uploaded images go to the update server",
    file: `${RECEIVER}/leader.ts`,
    original: 'return firmwareId === UPLOAD_FIRMWARE_ID ? "{}" : undefined;',
    mutated: "return undefined;",
  },
  {
    what: "an update is undone though the transmitter runs something else",
    file: `${RECEIVER}/leader.ts`,
    original: "image === (id === SELF ? boot?.image.imageSha256 : otherImage),",
    mutated: "id !== SELF || image === boot?.image.imageSha256,",
  },
  {
    what: "the results of a job's members are entered in the history beside it",
    file: `${RECEIVER}/leader.ts`,
    original: "if (!this.state.led.includes(firmwareId))",
    mutated: "if (firmwareId !== UPLOAD_FIRMWARE_ID)",
  },
  {
    what: "the MQTT password is shown",
    file: "firmware/core/settings/app-settings.ts",
    original: "for (const { name } of secrets) shown[name] = HIDDEN;",
    mutated: "",
  },
  {
    what: "what is shown in the place of a secret replaces it",
    file: "firmware/core/settings/app-settings.ts",
    original: 'if (field.type === "secret" && value === HIDDEN) continue;',
    mutated: "",
  },
  {
    what: "a broker that was replaced stays connected",
    file: `${RECEIVER}/telling.ts`,
    original: 'this.step({ type: "offline" });',
    mutated: "",
  },
  {
    what: "an image that is staged is told of at each boot",
    file: "firmware/core/mqtt/ota-events.ts",
    original: 'if (before.update.phase === "staging" && staged)',
    mutated: "if (staged)",
  },
  {
    what: "a system is given up because an image was lost on its way",
    file: "firmware/apps/receiver/core/leader.ts",
    original: 'status === "failed" && !isOnTheWay(code)',
    mutated: 'status === "failed"',
  },
];
