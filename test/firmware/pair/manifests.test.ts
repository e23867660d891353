// What an app of a pair speaks stands in its manifest twice: as a config for its JavaScript, and as a definition for the description in its image.

import { readFileSync } from "node:fs";
import { expect } from "chai";
import { parseVersion, versionNumber } from "../../../firmware/core/update/version.js";

describe("the manifests of a pair", () => {
  for (const app of ["receiver", "transmitter"])
    it(`say the same of ${app} to its JavaScript and to its image`, () => {
      const file = new URL(`../../../firmware/apps/${app}/manifest-app.json`, import.meta.url);
      const { config, defines } = JSON.parse(readFileSync(file, "utf8"));
      const least = parseVersion(config.minCompatible);
      expect(defines.skyslot).deep.equal({
        protocol: config.protocolVersion,
        min_compatible: least && versionNumber(least),
      });
    });
});
