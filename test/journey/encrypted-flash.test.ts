// Devices with flash encryption, whose slots take writes in units of 16 bytes only: whatever the network makes of a body, an update arrives.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import { Odyssey, raw } from "./odyssey.js";
import { PushBench, TOKEN } from "./push-bench.js";
import { STYLES } from "./styles.js";

const PLAIN = fileURLToPath(new URL("../../partitions/8mb.csv", import.meta.url));

describe("with encrypted slots", () => {
  const folder = mkdtempSync(join(tmpdir(), "skyslot-encrypted-"));
  const partitions = join(folder, "encrypted.csv");
  before(() => {
    const csv = readFileSync(PLAIN, "utf8").replace(
      /^((?:factory|ota_\d)\s*,.*?),?[ \t]*$/gm,
      "$1, encrypted",
    );
    expect(csv.match(/encrypted/g)).length.above(1);
    writeFileSync(partitions, csv);
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  const odyssey = new Odyssey();
  afterEach(() => odyssey.close());

  for (const [what, style] of Object.entries(STYLES))
    it(`a device updates itself: ${what}`, async () => {
      await odyssey.start(async (_, honest) => raw(style(await honest())), { partitions });
      await odyssey.expectUpdated();
      odyssey.expectNoFailure();
    });

  for (const pieceBytesMax of [7, 1000])
    it(`a device updates itself from pieces of ${pieceBytesMax} bytes`, async () => {
      await odyssey.start((_, honest) => honest(), { partitions, downloadPolicy: () => ({ pieceBytesMax }) });
      await odyssey.expectUpdated();
      odyssey.expectNoFailure();
    });

  it("a device takes a pushed image, signed or not", async () => {
    const bench = await PushBench.start({ partitions });
    try {
      await bench.acceptUnsigned();
      expect((await bench.pusher.push(bench.image, { token: TOKEN })).status).equal(200);
      await bench.expectValidated();
    } finally {
      await bench.close();
    }
  });
});
