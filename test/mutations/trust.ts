// The trust root: who may replace it, and what it says of releases.

import type { Mutation } from "./mutation.js";

const TRUST = "firmware/core/trust";
const root = `${TRUST}/root.ts`;

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
];
