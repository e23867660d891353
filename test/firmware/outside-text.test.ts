// Kind: texts from outside in the hands of XS's own functions. JSON.parse restarts the chip at deep or long input, and keeps each new name
// of a member for good; so does a look-up of a text in an object (Object.hasOwn, Object.fromEntries). test/xs/names.test.ts shows it.

import { readdirSync, readFileSync } from "node:fs";
import { expect } from "chai";

const FIRMWARE = new URL("../../firmware/", import.meta.url);

/** Where names are the firmware's own, and why. */
const OWN_NAMES: Readonly<Record<string, readonly string[]>> = {
  "JSON.parse(": ["core/json.ts"],
  "Object.hasOwn(": ["platform/carry-out.ts"], // types of effects
  "Object.fromEntries(": ["core/settings/app-settings.ts"], // fields of the app's section
};

describe("texts from outside", () => {
  // the pages' scripts run in a browser
  const files = ["core", "platform", "apps"].flatMap((folder) =>
    readdirSync(new URL(`${folder}/`, FIRMWARE), { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(".ts"))
      .map((name) => `${folder}/${name}`),
  );

  for (const [call, allowed] of Object.entries(OWN_NAMES)) {
    it(`are never given to ${call})`, () => {
      const found = files.filter((file) => readFileSync(new URL(file, FIRMWARE), "utf8").includes(call));
      expect(found).deep.equal(allowed);
    });
  }
});
