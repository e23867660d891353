// examples/arduino: the sketch compiles, and asks where the server answers. That the server serves HTTPUpdate is tested in
// test/server/dialects, and a push by espota in test/journey/push-espota.test.ts.

import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import { arduinoImage, LegacyServer } from "../server/dialects/legacy-server.js";

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const SKETCH = here("../../examples/arduino/http_update/http_update.ino");

describe("examples/arduino", () => {
  const sketch = readFileSync(SKETCH, "utf8");
  const constant = (name: string): string => new RegExp(`\\*${name} = "([^"]*)"`).exec(sketch)?.[1] ?? "";

  it("compiles with the declarations of the ESP32 core", function () {
    try {
      execFileSync("g++", ["--version"], { stdio: "ignore" });
    } catch {
      console.warn("      skipped: no g++ (Debian package of the same name)");
      this.skip();
    }
    const options = ["-std=gnu++17", "-Wall", "-Wextra", "-Werror", "-fsyntax-only", "-I", here("arduino")];
    execFileSync("g++", [...options, "-x", "c++", SKETCH]);
  });

  it("asks for its type where the server has the image", async () => {
    const { pathname } = new URL(constant("SERVER"));
    const legacy = await LegacyServer.open(pathname.split("/").at(-1) ?? "");
    const image = arduinoImage("the next sketch");
    await legacy.upload(image, { version: "1.1.0" });
    const headers = {
      "x-esp32-sta-mac": "24:6F:28:AA:BB:CC",
      "x-esp32-mode": "sketch",
      "x-esp32-free-space": "1310720",
    };
    const ask = (version: string) =>
      legacy.server.app.inject({ url: pathname, headers: { ...headers, "x-esp32-version": version } });
    expect((await ask(constant("VERSION"))).rawPayload.equals(image)).to.be.true;
    expect((await ask("1.1.0")).statusCode).to.equal(304);
    await legacy.close();
  });

  it("pushes to the port on which devices listen", () => {
    const settings = readFileSync(here("../../examples/arduino/platformio.ini"), "utf8");
    expect(settings)
      .to.match(/^upload_protocol = espota$/m)
      .and.match(/^ {4}--port=3232$/m);
  });
});
