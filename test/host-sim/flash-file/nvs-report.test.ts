// What is reported about settings in a flash: every type, encrypted or not, and no secrets unless requested.

import { expect } from "chai";
import { listNvs } from "../../../host-sim/flash-file/nvs-report.js";
import { openFlash } from "../../../host-sim/flash-file/open.js";
import { coverSecrets } from "../../../host-sim/flash-file/secrets.js";
import { Flash } from "../../../host-sim/hardware/flash/flash.js";
import { initNvs } from "../../../host-sim/hardware/nvs/nvs-init.js";
import {
  compilePartitionCsv,
  PARTITION_TABLE_OFFSET,
  parsePartitionTable,
} from "../../../host-sim/hardware/partitions/partition-table.js";

const CSV = "nvs,data,nvs,0x9000,0x6000\n";
const WITH_KEYS = `${CSV}nvs_keys,data,nvs_keys,0xf000,0x1000,encrypted\n`;

function flashOf(csv: string) {
  const table = compilePartitionCsv(csv);
  const flash = new Flash(0x10000);
  flash.bytes.set(table, PARTITION_TABLE_OFFSET);
  return { flash, partitions: parsePartitionTable(table) };
}

describe("the report of settings", () => {
  for (const [title, csv] of [
    ["plain", CSV],
    ["encrypted", WITH_KEYS],
  ] as const) {
    it(`lists every type, ${title}, and changes nothing`, () => {
      const { flash, partitions } = flashOf(csv);
      const { nvs } = initNvs(flash, partitions);
      nvs!.set("app", "small", "u8", 7);
      nvs!.set("app", "big", "i64", -5n);
      nvs!.set("app", "text", "str", "grüß dich");
      nvs!.set("app", "bytes", "blob", Uint8Array.of(1, 2, 255));
      nvs!.set("app", "long", "blob", new Uint8Array(100));
      const before = flash.bytes.slice();
      const [report] = listNvs(openFlash(flash.bytes));
      expect(report).to.include({ partition: "nvs", mount: "ESP_OK", encrypted: csv === WITH_KEYS });
      expect(report!.entries.map(({ key, type, value }) => [key, type, value])).to.deep.equal([
        ["small", "u8", "7"],
        ["big", "i64", "-5"],
        ["text", "str", "grüß dich"],
        ["bytes", "blob", "0102ff"],
        ["long", "blob", "sha256:100:cd00e292c5970d3c5e2f0ffa5171e555bc46bfc4faddfb4a418b6840b86e79a3"],
      ]);
      expect(report!.stats).to.include({ total: 756 });
      expect(Buffer.compare(flash.bytes, before)).to.equal(0);
    });
  }

  it("finds no plain text in an encrypted partition", () => {
    const { flash, partitions } = flashOf(WITH_KEYS);
    initNvs(flash, partitions).nvs!.set("app", "note", "str", "something to find");
    expect(Buffer.from(flash.bytes).includes("something to find")).to.equal(false);
    expect(initNvs(flash, partitions).nvs!.get("app", "note").value).to.equal("something to find");
    flash.bytes[0xf000 + 3]! ^= 0x10;
    expect(initNvs(flash, partitions)).to.deep.equal({ error: "ESP_ERR_NVS_CORRUPT_KEY_PART" });
  });

  it("covers passwords and tokens unless told to show them", () => {
    const { flash, partitions } = flashOf(CSV);
    const { nvs } = initNvs(flash, partitions);
    nvs!.set("skyslot", "networks", "str", '[["Home","wifi password"],["Open",""]]');
    nvs!.set("skyslot", "push.token", "str", "owner's token");
    nvs!.set("nvs.net80211", "sta.pswd", "blob", Buffer.from("wifi password"));
    nvs!.set("app", "cloud", "str", '{"user":"me","auth":{"api_key":"abc"},"tokens":["t1"]}');
    const values = (showSecrets: boolean) =>
      listNvs(openFlash(flash.bytes), { showSecrets })[0]!.entries.map(({ value }) => value);
    expect(values(false)).to.deep.equal([
      '[["Home","••••••"],["Open",""]]',
      "••••••",
      "••••••",
      '{"user":"me","auth":{"api_key":"••••••"},"tokens":"••••••"}',
    ]);
    expect(values(true).join())
      .to.contain("wifi password")
      .and.to.contain("owner's token")
      .and.to.contain("t1");
  });

  it("says why a partition cannot be mounted", () => {
    const { flash } = flashOf(CSV);
    flash.bytes.fill(0, 0x9000, 0xf000);
    expect(listNvs(openFlash(flash.bytes))[0]).to.include({ mount: "ESP_OK" });
    const short = flashOf("nvs,data,nvs,0x9000,0x1000,readonly\n");
    expect(listNvs(openFlash(short.flash.bytes))[0]).to.deep.include({ mount: "ESP_OK", entries: [] });
  });
});

describe("what counts as a secret", () => {
  for (const key of [
    "password",
    "wifi.pass",
    "sta.pswd",
    "ap.passwd",
    "sta.pmk0",
    "push.token",
    "clientSecret",
  ]) {
    it(`covers ${key}`, () => expect(coverSecrets(key, "str", "x")).to.equal("••••••"));
  }
  for (const key of ["server", "device.name", "keyboard", "led"]) {
    it(`shows ${key}`, () => expect(coverSecrets(key, "str", "x")).to.equal("x"));
  }

  it("covers a list of networks completely when it is not in the known form", () => {
    expect(coverSecrets("networks", "str", '{"Home":"wifi password"}')).to.equal("••••••");
  });
});
