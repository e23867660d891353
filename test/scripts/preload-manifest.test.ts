// The list of modules to be preloaded, for a small sample firmware.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { expect } from "chai";
import { preloadManifest, unmappedFiles } from "../../scripts/preload-manifest.js";

const MANIFEST = {
  "platform/manifest.json": {
    modules: {
      "*": "$(MODULES)/network/net/net",
      "firmware/core/*": "../core/*",
      "firmware/platform/*": "./*",
    },
  },
  "platform/cable/manifest.json": { modules: { "firmware/platform/wifi": "./wifi", net: "./net" } },
  "apps/base/manifest.json": {
    creation: { main: "firmware/apps/base/main" },
    modules: { "firmware/apps/base/main": "./main", "firmware/apps/base/lamp": "./lamp" },
  },
} as const;
const MODULES = [
  "core/update.ts",
  "platform/wifi.ts",
  "platform/cable/wifi.ts",
  "platform/cable/net.ts",
  "apps/base/main.ts",
  "apps/base/lamp.ts",
];

describe("the list of modules to preload", () => {
  let folder: string;

  const write = (path: string, text = "") => {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  };
  const listed = () => (JSON.parse(preloadManifest(folder)) as { preload: string[] }).preload;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "skyslot-preload-"));
    for (const [path, manifest] of Object.entries(MANIFEST)) write(path, JSON.stringify(manifest));
    for (const path of MODULES) write(path);
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it("names each module once as mcconfig knows it, and no main module, whose body starts the device", () => {
    expect(listed()).deep.equal([
      "firmware/apps/base/lamp",
      "firmware/core/update",
      "firmware/platform/wifi",
      "net",
    ]);
  });

  it("grows with a new module", () => {
    write("core/extra.ts");
    expect(listed()).include("firmware/core/extra");
  });

  it("leaves declarations out", () => {
    write("platform/globals.d.ts");
    expect(listed()).not.include("firmware/platform/globals.d");
    expect(unmappedFiles(folder)).deep.equal([]);
  });

  it("is not complete if a module is in no manifest, which is reported", () => {
    write("lights/strip.ts");
    expect(listed().join()).not.include("strip");
    expect(unmappedFiles(folder)).deep.equal(["lights/strip.ts"]);
  });
});
