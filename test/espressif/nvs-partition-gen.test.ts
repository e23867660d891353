// NVS partitions against esp-idf-nvs-partition-gen: what it writes is read here, plain and encrypted, and what is encrypted here it
// decrypts to the same bytes as without encryption.

import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { Flash } from "../../host-sim/hardware/flash/flash.js";
import { Nvs, type NvsKeys } from "../../host-sim/hardware/nvs/nvs.js";
import { readNvsKeys } from "../../host-sim/hardware/nvs/nvs-keys.js";
import { findTool, runTool, type Tool } from "./tools.js";

const SIZE = 0x6000;
const LONG_TEXT = "grüß dich ".repeat(300);
const BLOB = Buffer.from(Array.from({ length: 5000 }, (_, index) => (index * 7) & 0xff));

/** Key, type in the CSV, text in the CSV, value. */
const ENTRIES = [
  ["u8", "u8", "255", 255],
  ["i8", "i8", "-128", -128],
  ["u16", "u16", "65535", 65535],
  ["i16", "i16", "-32768", -32768],
  ["u32", "u32", "4294967295", 4294967295],
  ["i32", "i32", "-2147483648", -2147483648],
  ["u64", "u64", "18446744073709551615", 18446744073709551615n],
  ["i64", "i64", "-9223372036854775808", -9223372036854775808n],
  ["text", "string", "with spaces, and a comma", "with spaces, and a comma"],
  ["long", "string", LONG_TEXT, LONG_TEXT],
  ["hex", "hex2bin", "00ff10", Uint8Array.of(0x00, 0xff, 0x10)],
  ["big", "hex2bin", BLOB.toString("hex"), new Uint8Array(BLOB)],
] as const;
const CSV = [
  "key,type,encoding,value",
  "one,namespace,,",
  ...ENTRIES.map(([key, type, text]) => `${key},data,${type},"${text}"`),
  "two,namespace,,",
  "u8,data,u8,1",
].join("\n");

describe("NVS and esp-idf-nvs-partition-gen", () => {
  let tool: Tool;
  let folder: string;
  before(function () {
    const found = findTool("esp_idf_nvs_partition_gen", "esp-idf-nvs-partition-gen");
    if (found === undefined) return this.skip();
    tool = found;
    folder = mkdtempSync(join(tmpdir(), "skyslot-nvs-"));
    writeFileSync(join(folder, "in.csv"), CSV);
  });
  after(() => {
    if (folder !== undefined) rmSync(folder, { recursive: true });
  });

  const file = (name: string): string => join(folder, name);
  const read = (name: string): Uint8Array => new Uint8Array(readFileSync(file(name)));

  function expectEntries(image: Uint8Array, keys?: NvsKeys): void {
    const { error, nvs } = Nvs.mount(new Flash(SIZE, image), 0, SIZE, keys);
    expect(error).to.equal("ESP_OK");
    expect(nvs!.list("one").map(({ key }) => key)).to.have.members(ENTRIES.map(([key]) => key));
    for (const [key, , , value] of ENTRIES) expect(nvs!.get("one", key).value, key).to.deep.equal(value);
    expect(nvs!.get("two", "u8").value).to.equal(1);
  }

  it("reads every type that it writes", () => {
    runTool(tool, "generate", file("in.csv"), file("plain.bin"), String(SIZE));
    expectEntries(read("plain.bin"));
  });

  it("reads what it encrypts, with the keys from its key partition", () => {
    mkdirSync(file("out"), { recursive: true });
    const options = ["--keygen", "--keyfile", "keys.bin", "--outdir", file("out")];
    runTool(tool, "encrypt", file("in.csv"), "secret.bin", String(SIZE), ...options);
    const keyFile = join("out", "keys", readdirSync(file("out/keys"))[0]!);
    const keyBytes = read(keyFile);
    const place = { label: "nvs_keys", type: 1, subtype: 4, offset: 0, size: keyBytes.length, flags: 0 };
    const { keys } = readNvsKeys(new Flash(keyBytes.length, keyBytes), place);
    expect(keys).to.not.equal(undefined);
    expectEntries(read("out/secret.bin"), keys!);
    expect(Nvs.mount(new Flash(SIZE, read("out/secret.bin")), 0, SIZE).nvs?.list()).to.deep.equal([]);
  });

  it("writes encrypted partitions that it decrypts to the plain partition", () => {
    const fill = (keys?: NvsKeys): Flash => {
      const flash = new Flash(SIZE);
      const { nvs } = Nvs.mount(flash, 0, SIZE, keys);
      for (const [key, type, , value] of ENTRIES) {
        const known = type === "string" ? "str" : type === "hex2bin" ? "blob" : type;
        expect(nvs!.set("one", key, known, value)).to.equal("ESP_OK");
      }
      expect(nvs!.erase("one", "u16")).to.equal("ESP_OK");
      return flash;
    };
    const keyBytes = Buffer.alloc(4096, 0xff);
    for (let index = 0; index < 64; index += 1) keyBytes[index] = (index * 37) & 0xff;
    const keys = { encryptionKey: keyBytes.subarray(0, 32), tweakKey: keyBytes.subarray(32, 64) };
    writeFileSync(file("ours.bin"), fill(keys).bytes);
    writeFileSync(file("ours-keys.bin"), keyBytes);
    runTool(tool, "decrypt", file("ours.bin"), file("ours-keys.bin"), file("ours-plain.bin"));
    expect(Buffer.compare(read("ours-plain.bin"), fill().bytes)).to.equal(0);
  });
});
