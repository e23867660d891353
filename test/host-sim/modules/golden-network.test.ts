// The network modules against what the SDK's own printed on an ESP32-C3: line by line, errors included.

import { expect } from "chai";
import { readVectorFile } from "../../vectors.js";
import { createWorld, startDevice } from "../network/stub-machine.js";

const PROGRAMS = [
  "tcp",
  "tcp-close",
  "listener",
  "udp",
  "http-request",
  "http-response",
  "http-reuse",
  "http-server",
  "nonet",
];
const LIMIT_MS = 60_000;

function textOf(path: string): string | undefined {
  const bytes = readVectorFile(path);
  return bytes && new TextDecoder().decode(bytes);
}

async function printed(program: string, hasInterface: boolean): Promise<string> {
  const { world, network } = createWorld();
  const device = startDevice(network, program, { hasInterface });
  const text = (): string => device.traces.join("");
  await world.runUntil(() => text().includes("DONE\n"), { limitMs: LIMIT_MS });
  return text();
}

describe("the network modules", () => {
  for (const name of PROGRAMS) {
    it(`print what the SDK's print: ${name}`, async function () {
      const program = textOf(`moddable/${name}.js`);
      const expected = textOf(`moddable/${name}.out`);
      if (program === undefined || expected === undefined) return this.skip();
      expect(await printed(program, name !== "nonet")).to.equal(expected);
    });
  }
});
