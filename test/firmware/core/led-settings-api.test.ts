// `/api/led` as a page uses it.

import { expect } from "chai";
import type { LedBoard, LedSettings } from "../../../firmware/core/led-settings.js";
import { answerLedRequest } from "../../../firmware/core/led-settings-api.js";

const BOARD: LedBoard = { chip: "esp32c3", statusPin: 3 };
const SETTINGS: LedSettings = { pattern: "blink", pin: 8, count: 12, speed: 60, colour: 0x00ff00 };

function ask(method: string, body = "") {
  const { settings, effects } = answerLedRequest(SETTINGS, BOARD, { connection: 5, method, body });
  const answers = effects.filter((effect) => effect.type === "respond");
  expect(answers).length(1);
  const { connection, response } = answers[0]!;
  expect(connection).equal(5);
  expect(response.headers["content-type"]).equal("application/json");
  const stored = effects.flatMap((effect) => (effect.type === "store" ? [[effect.key, effect.value]] : []));
  return { settings, stored, status: response.status, json: JSON.parse(response.body) };
}

describe("the LED settings API", () => {
  it("gives the settings and their limits", () => {
    const { status, json, stored } = ask("GET");
    expect(status).equal(200);
    expect(stored).deep.equal([]);
    expect(json).deep.equal({
      settings: { pattern: "blink", pin: 8, count: 12, speed: 60, colour: "#00ff00" },
      limits: { patterns: ["solid", "blink", "breathe", "rainbow", "chase"], maxCount: 300, maxSpeed: 600 },
    });
  });

  it("stores a change as one text under one key, and answers with the whole", () => {
    const { status, json, stored, settings } = ask("POST", '{"pattern":"chase","colour":"#ff0000"}');
    expect(status).equal(200);
    expect(settings).deep.equal({ ...SETTINGS, pattern: "chase", colour: 0xff0000 });
    expect(stored).deep.equal([
      ["led", '{"pattern":"chase","pin":8,"count":12,"speed":60,"colour":"#ff0000"}'],
    ]);
    expect(json.settings.pattern).equal("chase");
  });

  it("writes nothing when nothing changes", () => {
    for (const body of ["{}", '{"speed":60}'])
      expect(ask("POST", body)).deep.include({ status: 200, stored: [] });
  });

  it("refuses what cannot be, and keeps what was", () => {
    for (const [body, code] of [
      ["", "LED_MALFORMED"],
      ['{"pin":3}', "LED_PIN_UNUSABLE"],
      ['{"count":301}', "LED_OUT_OF_RANGE"],
    ] as const) {
      const { status, json, stored, settings } = ask("POST", body);
      expect([status, json.code]).deep.equal([400, code]);
      expect(json.message).a("string");
      expect(stored).deep.equal([]);
      expect(settings).equal(SETTINGS);
    }
    expect(ask("DELETE").status).equal(405);
  });
});
