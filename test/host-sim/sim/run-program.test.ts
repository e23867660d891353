// Foreign programs on the virtual platform, as `skyslot sim run FILE` runs them.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import { type ProgramOptions, runProgram } from "../../../host-sim/sim/run-program.js";

const folder = mkdtempSync(join(tmpdir(), "skyslot-program-"));

async function run(source: string, options: Partial<ProgramOptions> = {}) {
  const file = join(folder, "program.js");
  writeFileSync(file, source);
  return runFile(file, options);
}

async function runFile(file: string, options: Partial<ProgramOptions> = {}) {
  let out = "";
  let err = "";
  const status = await runProgram(file, {
    out: (text) => {
      out += text;
    },
    err: (text) => {
      err += text;
    },
    ...options,
  });
  return { status, out, err };
}

describe("a program", () => {
  after(() => rmSync(folder, { recursive: true }));

  it("may be TypeScript and import its own files", async () => {
    const file = fileURLToPath(new URL("../../fixtures/programs/relative.ts", import.meta.url));
    expect(await runFile(file)).to.deep.equal({ status: 0, out: "hello device\nlater\n", err: "" });
  });

  it("is an ES module also where it neither imports nor exports anything", async () => {
    expect(await run("trace(String(this));")).to.deep.equal({ status: 0, out: "undefined", err: "" });
  });

  it("ends when nothing is left to happen, or at the limit", async () => {
    const source = `import Timer from "timer"; let n = 0; Timer.repeat(() => { n++; }, 1000); Timer.set(() => trace("ran " + n), 599500);`;
    expect(await run(source)).to.deep.equal({ status: 0, out: "ran 599", err: "" });
    expect(await run(source, { limitMs: 60_000 })).to.deep.equal({ status: 0, out: "", err: "" });
  });

  it("that throws while it starts ends with 1, and is not started again", async () => {
    const { status, out, err } = await run(`trace("once\\n");\nthrow new TypeError("bad");`);
    expect([status, out]).to.deep.equal([1, "once\n"]);
    expect(err).to.match(/^uncaught TypeError: bad\n {4}at main\.js:\d+:\d+\n$/);
  });

  it("that throws in every boot is not restarted forever", async () => {
    const { status, out } = await run(
      `import Timer from "timer"; trace("boot\\n"); Timer.set(() => { throw 5; }, 1);`,
    );
    expect(status).to.equal(1);
    expect(out.split("boot\n").length).to.be.within(10, 30);
  });

  it("that hangs is restarted by the watchdog, up to the limit", async () => {
    const { status, out } = await run(`trace("boot\\n"); for (;;);`, { limitMs: 30_000 });
    expect([status, out]).to.deep.equal([0, "boot\n".repeat(6)]);
  });

  it("that cannot be bundled ends with 1 and the reason", async () => {
    const { status, err } = await run(`import "./nothing.js";`);
    expect(status).to.equal(1);
    expect(err).to.include("nothing.js");
  });

  it("has the given settings", async () => {
    const source = `import config from "mc/config"; trace(JSON.stringify(config));`;
    expect(await run(source, { config: { a: [1] } })).to.deep.equal({ status: 0, out: '{"a":[1]}', err: "" });
  });

  it("can join the access point in range", async () => {
    const source = `import WiFi from "embedded:network/interface/wifi";
      const wifi = new WiFi({ onChanged(what) { trace(what + " " + this.connection + "\\n"); } });
      wifi.connect({ SSID: "Home", password: "secret password" });`;
    const network = { ssid: "Home", password: "secret password" };
    const { status, out } = await run(source, { network, limitMs: 20_000 });
    expect(status).to.equal(0);
    expect(out).to.include("connection 500");
    expect((await run(source, { limitMs: 20_000 })).out).to.not.include("connection 500");
  });
});
