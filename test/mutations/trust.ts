// The trust root: who may replace it, and what it says of releases.

import type { Mutation } from "./mutation.js";

const TRUST = "firmware/core/trust";
const root = `${TRUST}/root.ts`;
const CURRENT = "server/rollout/current.ts";
const FRESHNESS_UPDATE = "firmware/core/update/freshness-update.ts";

export const MUTATIONS: readonly Mutation[] = [
  {
    what: "one signature replaces a root, whatever its threshold",
    file: root,
    original: "bitCount(votes.old) >= held.threshold && bitCount(votes.new) >= root.threshold",
    mutated: "bitCount(votes.old) >= 1 && bitCount(votes.new) >= 1",
  },
  {
    what: "the old root is not asked, so that anyone can make the next one",
    file: root,
    original: "bitCount(votes.old) >= held.threshold && bitCount",
    mutated: "bitCount",
  },
  {
    what: "the new root is not asked, so that the trust goes to keys that nobody has",
    file: root,
    original: " && bitCount(votes.new) >= root.threshold",
    mutated: "",
  },
  {
    what: "a version is passed over, so that one that has revoked a key never comes",
    file: root,
    original: "root.version !== held.version + 1",
    mutated: "root.version <= held.version",
  },
  {
    what: "a root comes back that was replaced",
    file: root,
    original: "root.version !== held.version + 1",
    mutated: "root.version > held.version + 1",
  },
  {
    what: "one key counts twice, in two places of a list",
    file: root,
    original: "old: votes.old | (oldKey < 0 ? 0 : 1 << oldKey),",
    mutated: "old: oldKey < 0 ? votes.old : (votes.old << 1) | 1,",
  },
  {
    what: "one key counts as two, where a root lists it twice",
    file: root,
    original: "keys.some((key) => key.x === x && key.y === y)",
    mutated: "keys.some((key) => key.x === x && key.y !== y)",
  },
  {
    what: "a key that signs releases signs roots too",
    file: root,
    original: "return isSigner ? { point, oldKey, newKey } : undefined;",
    mutated: "return { point, oldKey: oldKey < 0 ? 9 : oldKey, newKey: newKey < 0 ? 9 : newKey };",
  },
  {
    what: "the least security version falls",
    file: root,
    original: "root.minSecurityVersion < held.minSecurityVersion",
    mutated: "root.minSecurityVersion < 0",
  },
  {
    what: "a bad signature counts",
    file: `${TRUST}/rotation.ts`,
    original: "one && good ? voteOf",
    mutated: "one ? voteOf",
  },
  {
    what: "a root is in force before it is stored",
    file: "firmware/core/update/root-update.ts",
    original: 'enter(next, { phase: "storingRoot", rotation })',
    mutated: 'enter(next, { phase: "storingRoot", rotation, trust: { root: after.value, keys: [] } })',
  },
  {
    what: "a root is stored before what it may have revoked is given up: a power cut leaves both",
    file: "firmware/core/update/root-update.ts",
    original: '[...abandoning, { type: "save", purpose: "root", values }]',
    mutated: '[{ type: "save", purpose: "root", values }, ...abandoning]',
  },
  {
    what: "an older root that is stored wins over the image's",
    file: `${TRUST}/trust.ts`,
    original: "kept.value.root.version >= root.version",
    mutated: "kept.value.root.version > 0",
  },
  {
    what: "an expired root goes on for ever",
    file: `${TRUST}/trust.ts`,
    original: "if (root && time > root.expires)",
    mutated: "if (root && time < 0)",
  },
  {
    what: "versions count anew for ever, so that anything can be brought back",
    file: `${TRUST}/sequence.ts`,
    original: "fastForward > installed.fastForward",
    mutated: "fastForward > 0",
  },
  {
    what: "the nonce is not compared, so that an old statement counts, or another device's",
    file: `${TRUST}/statement.ts`,
    original: "if (statement.nonce !== nonce)",
    mutated: "if (statement.nonce.length !== nonce.length)",
  },
  {
    what: "a statement about another type counts",
    file: `${TRUST}/statement.ts`,
    original: "if (statement.type !== type)",
    mutated: 'if (statement.type === "")',
  },
  {
    what: "any key of the root may state what is fresh",
    file: `${TRUST}/statement.ts`,
    original: "for (const index of root.freshness) {",
    mutated: "for (const index of root.keys.keys()) {",
  },
  {
    what: "a statement counts whatever its signature is",
    file: FRESHNESS_UPDATE,
    original: "if (!event.good) return notFresh",
    mutated: "if (!state.boot) return notFresh",
  },
  {
    what: "the same nonce is used twice",
    file: FRESHNESS_UPDATE,
    original: "chance: gatherChance(state.freshness.chance, random)",
    mutated: "chance: state.freshness.chance",
  },
  {
    what: "an offer is installed without a statement",
    file: FRESHNESS_UPDATE,
    original: "asksForStatements(trust) && statementAt(freshness, at) === undefined",
    mutated: "asksForStatements(trust) && at < 0 && statementAt(freshness, at) === undefined",
  },
  {
    what: "a statement suffices for ever",
    file: `${TRUST}/freshness.ts`,
    original: "at < untilMs ? statement : undefined",
    mutated: "untilMs > 0 ? statement : undefined",
  },
  {
    what: "a withdrawn release is installed",
    file: `${TRUST}/freshness.ts`,
    original: "withdrawn.includes(imageSha256.slice(0, WITHDRAWN_DIGITS))",
    mutated: "withdrawn.includes(imageSha256)",
  },
  {
    what: "a release is installed although a newer one is stated",
    file: `${TRUST}/freshness.ts`,
    original: "sequence < ruling.newest",
    mutated: "sequence < 0",
  },
  {
    what: "the server's unsigned time dates releases and roots",
    file: `${TRUST}/freshness.ts`,
    original: "asksForStatements(trust) ? earliestAt(clock, at) : timeAt(clock, at)",
    mutated: "timeAt(clock, at)",
  },
  {
    what: "a statement does not move the clock",
    file: "firmware/core/clock.ts",
    original: "return kept({ ...clock, bootedAfter: time - secondsOf(at) }, at);\n}\n\n/** Flash wears",
    mutated: "return kept(clock, at);\n}\n\n/** Flash wears",
  },
  {
    what: "the floor goes back with an old statement",
    file: "firmware/core/clock.ts",
    original: "if (time > clock.ceiling || time <= earliestAt(clock, at)) return [clock, NOTHING];",
    mutated: "if (time > clock.ceiling) return [clock, NOTHING];",
  },
  {
    what: "a stolen key of the server moves the clock beyond the end of the root",
    file: FRESHNESS_UPDATE,
    original: "Math.min(time, root.expires + 1)",
    mutated: "time",
  },
  {
    what: "a device is never frozen",
    file: `${TRUST}/freshness.ts`,
    original: "now - since >= FROZEN_SECONDS",
    mutated: "now - since >= 1000 * FROZEN_SECONDS",
  },
  {
    what: "the two weeks begin anew with each boot",
    file: `${TRUST}/freshness.ts`,
    original: 'readDigits(stored[FRESH_KEY] ?? "", 10) ?? 0',
    mutated: "0",
  },
  {
    what: "what a key of the last root has stated counts after the next one",
    file: `${TRUST}/freshness.ts`,
    original: "{ ...freshness, statement: undefined, untilMs: 0, dailyFromMs: 0, retryFromMs: 0 }",
    mutated: "{ ...freshness, dailyFromMs: 0, retryFromMs: 0 }",
  },
  {
    what: "one signature suffices for a system, whatever the threshold of releases",
    file: "firmware/core/system/poll.ts",
    original: 'if (after.value === "signed") return settled',
    mutated: "if (after.ok) return settled",
  },
  {
    what: "a statement of the day before an offer refuses it",
    file: `${TRUST}/freshness.ts`,
    original: "untilMs: isForOffer ? ",
    mutated: "untilMs: at >= 0 || isForOffer ? ",
  },
  {
    what: "without an open attempt any release counts as new",
    file: CURRENT,
    original: "Math.min(leastOf(newestOfEach(forAll)), ",
    mutated: "Math.min(0, ",
  },
  {
    what: "what only some devices are to have is the newest for all",
    file: CURRENT,
    original: "isForAll(release, rollouts) &&",
    mutated: "",
  },
  {
    what: "who leads other devices is refused what its system contains",
    file: CURRENT,
    original: ", ...offered.filter(isLed).map(({ sequence }) => sequence)",
    mutated: "",
  },
  {
    what: "what was cancelled is not withdrawn",
    file: CURRENT,
    original: 'own.every(({ state }) => state === "cancelled")',
    mutated: 'own.every(({ state }) => state === "draft")',
  },
  {
    what: "one cancelled rollout of several withdraws a release",
    file: CURRENT,
    original: 'own.every(({ state }) => state === "cancelled")',
    mutated: 'own.some(({ state }) => state === "cancelled")',
  },
  {
    what: "a device that is kept at a version is told that it was withdrawn",
    file: CURRENT,
    original: " && !isPinned(release)",
    mutated: "",
  },
  {
    what: "a release is withdrawn because the same image was for another board",
    file: CURRENT,
    original: ".filter(({ imageSha256 }) => !images.has(imageSha256))",
    mutated: "",
  },
];
