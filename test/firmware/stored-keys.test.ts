// Only keys in the table are read at a boot: one that is stored but missing there would silently be lost.

import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import { STORED_LIMITS } from "../../firmware/core/stored.js";

const FIRMWARE = fileURLToPath(new URL("../../firmware/", import.meta.url));
/** Of apps: they list them in their main.ts. */
const OF_APPS = ["panel", "mesh.job", "mesh.md5", "peer", "radio.gateway", "relay.image"];

const sources = ["core", "platform", "apps"].flatMap((folder) =>
  readdirSync(FIRMWARE + folder, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts"))
    .map((name) => readFileSync(`${FIRMWARE}${folder}/${name}`, "utf8")),
);

function keysIn(source: string): string[] {
  const patterns = [
    /\bKEY = "([^"]+)"/g,
    /_KEY = "([^"]+)"/g,
    /\bkey: "([^"]+)"/g,
    /\bstored\.(?!js\b|ts\b)([a-z]\w*)/g,
    /\bstored\["([^"]+)"\]/g,
    /\bkeep\(\s*"([^"]+)"/g,
  ];
  return patterns.flatMap((pattern) => [...source.matchAll(pattern)].map((match) => match[1]!));
}

/** Of who leads a system of several devices, or keeps a history: listed likewise. */
const OF_LEADERS = ["system", "system.log", "system.undo"];

describe("the keys in NVS", () => {
  it("that the firmware uses are all in the table of what is read", () => {
    const used = new Set(sources.flatMap(keysIn));
    expect([...used].filter((key) => ![...OF_APPS, ...OF_LEADERS].includes(key)).sort()).deep.equal(
      Object.keys(STORED_LIMITS).sort(),
    );
  });

  it("are at most 15 characters, and their values fit into a string", () => {
    for (const [key, limit] of Object.entries(STORED_LIMITS)) {
      expect(key.length, key).within(1, 15);
      expect(limit, key).within(1, 3_999);
    }
  });
});
