// The commands in the examples' READMEs.

import { arduinoImage } from "../server/dialects/legacy-server.js";
import { runDocument } from "./document.js";

const IMAGES = { "esp-idf": "build/ota_example.bin", micropython: "micropython.bin", arduino: "scales.bin" };

for (const [example, file] of Object.entries(IMAGES))
  describe(`examples/${example}/README.md`, () => {
    runDocument(`examples/${example}/README.md`, {
      arrange: async (stage) => {
        await stage.put(file, arduinoImage(example));
        return undefined;
      },
    });
  });
