// Encrypted settings in a flash file: that they are encrypted, and their content when their keys are given. The derived keys are those that
// esp-idf-nvs-partition-gen derives from the same HMAC key.

import { expect } from "chai";
import { keysOfEfuses, keysOfPartition } from "../../../host-sim/flash-file/nvs-key-files.js";
import { listNvs, type NvsOptions } from "../../../host-sim/flash-file/nvs-report.js";
import { openFlash } from "../../../host-sim/flash-file/open.js";
import { crc32 } from "../../../host-sim/hardware/crc32.js";
import { Flash } from "../../../host-sim/hardware/flash/flash.js";
import { Nvs, type NvsKeys } from "../../../host-sim/hardware/nvs/nvs.js";
import {
  compilePartitionCsv,
  PARTITION_TABLE_OFFSET,
} from "../../../host-sim/hardware/partitions/partition-table.js";

const HMAC_KEY = Uint8Array.from({ length: 32 }, (_, index) => index);
const KEYS: NvsKeys = {
  encryptionKey: hex("813a1412 20ddb819 f4d73d59 fa3032ab 9f592cc2 6a18cf1f de692f71 2b6a025c"),
  tweakKey: hex("b20ad6b6 ddd1658a 6e14d1b5 b726e423 56adf4ff 2f68fcd8 826ac290 8408addf"),
};
const OTHER: NvsKeys = { encryptionKey: KEYS.tweakKey, tweakKey: KEYS.encryptionKey };

function hex(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text.replaceAll(" ", ""), "hex"));
}

/** The blocks of a chip's eFuses with the key in a block of this purpose. */
function efuses(key: number, purpose: number, length = 336, bytes = HMAC_KEY): Uint8Array {
  const blocks = new Uint8Array(length);
  blocks[11 + (key >> 1)]! |= purpose << (key & 1 ? 4 : 0);
  blocks.set(bytes, 112 + 32 * key);
  return blocks;
}

/** As `espefuse --virt` keeps them. */
function virtual(blocks: Uint8Array): Uint8Array {
  const memory = new Uint8Array(512);
  memory.set(blocks, 0x2c);
  return memory.reverse();
}

function partitionOf({ encryptionKey, tweakKey }: NvsKeys): Uint8Array {
  const bytes = new Uint8Array(4096).fill(0xff);
  bytes.set([...encryptionKey, ...tweakKey]);
  new DataView(bytes.buffer).setUint32(64, crc32(bytes.subarray(0, 64)), true);
  return bytes;
}

/** A flash with settings that are encrypted with KEYS, or plain. */
function flashWith(keys: NvsKeys | undefined): Uint8Array {
  const flash = new Flash(0x10000);
  flash.bytes.set(compilePartitionCsv("nvs,data,nvs,0x9000,0x6000\n"), PARTITION_TABLE_OFFSET);
  const { nvs } = Nvs.mount(flash, 0x9000, 0x6000, keys);
  nvs!.set("skyslot", "device.name", "str", "Garden");
  nvs!.set("skyslot", "long", "str", "x".repeat(3000));
  return flash.bytes;
}

const report = (flash: Uint8Array, options: NvsOptions = {}) => listNvs(openFlash(flash), options)[0]!;

describe("encrypted settings in a flash file", () => {
  it("are reported as encrypted if no keys are given", () => {
    const { encrypted, mount, stats, entries } = report(flashWith(KEYS));
    expect({ encrypted, stats, entries }).deep.equal({ encrypted: true, stats: null, entries: [] });
    expect(mount).match(/cannot be read .*--nvs-keys or --efuse/);
  });

  it("are read with their keys, and with no others", () => {
    const read = report(flashWith(KEYS), { nvsKeys: [OTHER, KEYS] });
    expect(read).include({ encrypted: true, mount: "ESP_OK" });
    expect(read.entries[0]).include({ key: "device.name", value: "Garden" });
    expect(read.entries[1]?.value).length(3000);
    expect(report(flashWith(KEYS), { nvsKeys: [OTHER] })).include({ encrypted: true, stats: null });
    expect(report(flashWith(KEYS), { nvsKeys: [OTHER] }).mount).match(/keys are others/);
  });

  it("are distinguished from plain ones, even if keys are given, or an entry is damaged", () => {
    const flash = flashWith(undefined);
    expect(report(flash, { nvsKeys: [KEYS] })).include({ encrypted: false, mount: "ESP_OK" });
    flash[0x9000 + 64 + 5]! ^= 1;
    expect(report(flash)).include({ encrypted: false, mount: "ESP_OK" });
    const fresh = new Uint8Array(flash);
    fresh.fill(0xff, 0x9000, 0xf000);
    expect(report(fresh)).include({ encrypted: false, mount: "ESP_OK" });
  });
});

describe("a file with the keys of encrypted settings", () => {
  it("is an image of the partition nvs_keys", () => {
    expect(keysOfPartition(partitionOf(KEYS))).deep.equal(KEYS);
    expect(keysOfPartition(partitionOf(KEYS).subarray(0, 68))).deep.equal(KEYS);
    expect(() => keysOfPartition(new Uint8Array(4096).fill(0xff))).throw(/is erased/);
    expect(() => keysOfPartition(partitionOf(KEYS).fill(0, 3, 4))).throw(/checksum is wrong/);
    expect(() => keysOfPartition(partitionOf(KEYS).subarray(0, 64))).throw(/no image of the partition/);
  });

  it("is a dump of the eFuses, of espefuse or of QEMU, with the key in any block, or that block alone", () => {
    expect(keysOfEfuses(HMAC_KEY)).deep.equal([KEYS]);
    for (let key = 0; key < 6; key++) {
      expect(keysOfEfuses(efuses(key, 8)), `KEY${key}`).deep.equal([KEYS]);
      expect(keysOfEfuses(efuses(key, 8, 1024)), `KEY${key} of QEMU`).deep.equal([KEYS]);
      expect(keysOfEfuses(virtual(efuses(key, 8))), `KEY${key} of espefuse --virt`).deep.equal([KEYS]);
    }
  });

  it("of QEMU means two possible keys if software cannot read the block: its peripheral may see zeros there", () => {
    const blocks = efuses(5, 8, 1024);
    blocks[4]! |= 1 << 5;
    const [first, second, ...more] = keysOfEfuses(blocks);
    expect([first, ...more]).deep.equal([KEYS]);
    expect(second).deep.equal(keysOfEfuses(new Uint8Array(32))[0]);
  });

  it("is refused with the reason otherwise", () => {
    expect(() => keysOfEfuses(new Uint8Array(100))).throw(
      /has 100 bytes; a key block has 32, all blocks have 336/,
    );
    expect(() => keysOfEfuses(efuses(5, 4))).throw(/none .* has the purpose HMAC_UP/);
    expect(() => keysOfEfuses(efuses(5, 8, 336, new Uint8Array(32)))).throw(/reads as zeros/);
  });
});
