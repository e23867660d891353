import { expect } from "chai";
import { bootNotice } from "../../../../firmware/core/trial/boot-notice.js";
import { BOOTED, IMAGE } from "../events.js";

const lines = (booted: typeof BOOTED) =>
  bootNotice(booted).map((effect) =>
    effect.type === "log" ? `${effect.level}: ${effect.message}` : effect.type,
  );

describe("the log at a boot", () => {
  it("has the firmware, its build, its slots and the reset reason", () => {
    const image = {
      ...IMAGE,
      build: 7,
      compileDate: "Nov 21 2026",
      compileTime: "12:00:00",
      idfVersion: "v6.0",
    };
    expect(lines({ ...BOOTED, image, bootSlot: "ota_0", resetReason: "panic" })).deep.equal([
      "info: base 1.0.0+7 on esp32 (esp32), device base-0000a1",
      "info: compiled Nov 21 2026 12:00:00, ESP-IDF v6.0",
      "info: running factory (factory), boot partition ota_0, restarted by panic",
    ]);
  });

  it("names what is unknown, and warns when the image could not be rolled back", () => {
    expect(lines({ ...BOOTED, confirmsItself: true }).slice(1)).deep.equal([
      "info: compiled at an unknown time, ESP-IDF unknown",
      "info: running factory (factory), boot partition unknown, restarted by power-on",
      "error: a bad image would not be rolled back: it was built to be confirmed as it starts, without CONFIG_BOOTLOADER_APP_ROLLBACK_CONFIRM_BY_APP",
    ]);
  });
});
