import { delimiter } from "node:path";
import { fileURLToPath } from "node:url";
import { findTool } from "../espressif/tools.js";
import { makeRelease, releaseKeys } from "../server/test-server.js";
import { runDocument } from "./document.js";

const TOOLS = fileURLToPath(new URL("../../.venv/bin", import.meta.url));

describe("docs/secure-boot.md", () => {
  before(function () {
    if (findTool("espsecure", "esptool") === undefined) this.skip();
  });

  runDocument("docs/secure-boot.md", {
    arrange: async (stage) => {
      await stage.put("base-1.1.0-esp32.bin", (await makeRelease("1.1.0")).image);
      await stage.put("release.jwk", JSON.stringify((await releaseKeys()).privateKey));
      return { PATH: `${TOOLS}${delimiter}${process.env.PATH}` };
    },
  });
});
