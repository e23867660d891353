// The SDK's `preference`: what it stores in NVS, and as which type.

import { expect } from "chai";
import { Nvs } from "../../../host-sim/hardware/nvs/nvs.js";
import { runSource } from "../run-source.js";

const NVS_OFFSET = 0x9000;
const NVS_BYTES = 0x5000;

describe("preference", () => {
  it("keeps booleans, integers, strings and buffers, over a restart", async () => {
    const { lines, device } = await runSource(`
      import Preference from "preference";
      import FFI from "mc/ffi";
      const show = (value) => value instanceof ArrayBuffer ? "buffer " + new Uint8Array(value) : typeof value + " " + value;
      if (Preference.get("app", "yes") === undefined) {
        Preference.set("app", "yes", true);
        Preference.set("app", "count", -5);
        Preference.set("app", "name", "a\\0b");
        Preference.set("app", "bytes", Uint8Array.of(1, 2).buffer);
        Preference.set("app", "gone", 1);
        Preference.delete("app", "gone");
        new FFI().esp_restart();
      }
      for (const key of Preference.keys("app")) trace(key + ": " + show(Preference.get("app", key)) + "\\n");
      trace(show(Preference.get("app", "gone")) + ", " + show(Preference.get("nowhere", "key")) + "\\n");
    `);
    expect(lines).to.deep.equal([
      "yes: boolean true",
      "count: number -5",
      "name: string a\0b",
      "bytes: buffer 1,2",
      "undefined undefined, undefined undefined",
    ]);
    const { nvs } = Nvs.mount(device.flash, NVS_OFFSET, NVS_BYTES);
    expect(nvs!.list("app").map(({ key, type }) => [key, type])).to.deep.equal([
      ["yes", "u8"],
      ["count", "i32"],
      ["name", "str"],
      ["bytes", "blob"],
    ]);
  });

  it("replaces a value of another type, and refuses what it cannot store", async () => {
    const { lines } = await runSource(`
      import Preference from "preference";
      const attempt = (action) => { try { action(); return "done"; } catch (error) { return error.message; } };
      Preference.set("app", "key", "text");
      Preference.set("app", "key", 7);
      trace(Preference.get("app", "key") + " " + Preference.keys("app").length + "\\n");
      trace([1.5, 2 ** 31, 1n, {}, undefined, Uint8Array.of(1)].map((value) =>
        attempt(() => Preference.set("app", "key", value))).join() + "\\n");
      trace(attempt(() => Preference.set("app", "k".repeat(16), 1)) + "\\n");
      trace(Preference.get("app", "key") + "\\n");
    `);
    expect(lines).to.deep.equal([
      "7 1",
      "float unsupported,float unsupported,unsupported type,unsupported type,unsupported type,unsupported type",
      "nvs set fail",
      "7",
    ]);
  });
});
