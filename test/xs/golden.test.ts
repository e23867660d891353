// The golden programs of the SDK on XS: their output on the chip, and values that only they send over the bridge.

import { expect } from "chai";
import { checkProgram, programNames } from "../../host-sim/vectors/programs.js";
import { buildXs } from "../../host-sim/xs/build.js";
import { xsEngine } from "../../host-sim/xs/engine.js";
import { expectEqual, vectorFolder } from "../golden.js";
import { runSource } from "../host-sim/run-source.js";

describe("golden programs of the SDK inside XS", () => {
  const engine = xsEngine({ program: buildXs().program, keepsNames: true });

  for (const name of programNames(vectorFolder)) {
    it(`${name} prints what the chip printed`, async () => {
      const report = await checkProgram(vectorFolder, name, engine);
      expectEqual(report);
      expect(report.equal).to.be.above(report.onPurpose.length);
    });
  }

  it("accepts a class of firmware where a module constructs one, with its private fields", async () => {
    const { lines } = await runSource(
      `import HTTPClient from "embedded:network/http/client";
      import TCP from "embedded:io/socket/tcp";
      import WiFi from "embedded:network/interface/wifi";
      new WiFi({});
      class Resolver {
        #asked = 0;
        resolve({ host, onResolved }) { this.#asked += 1; trace("asked for " + host + " " + this.#asked + "\\n"); onResolved(host, "127.0.0.1"); }
        close() {}
      }
      const client = new HTTPClient({ host: "here", port: 9, dns: { io: Resolver }, socket: { io: TCP }, onError() { trace("error\\n"); } });
      client.request({ path: "/", onDone() {} });`,
      { engine },
    );
    expect(lines).to.deep.equal(["asked for here 1", "error"]);
  });

  it("refuse to set what has no setter", async () => {
    const { lines } = await runSource(
      `import Listener from "embedded:io/socket/listener";
      import WiFi from "embedded:network/interface/wifi";
      new WiFi({});
      const listener = new Listener({ port: 8000 });
      try { listener.port = 5; trace("set\\n"); } catch (error) { trace(error.constructor === TypeError, " ", listener.port, "\\n"); }
      listener.format = "socket/tcp";`,
      { engine },
    );
    expect(lines).to.deep.equal(["true 8000"]);
  });

  it("run out of memory long before the computer does", async () => {
    const { lines, events } = await runSource(
      `import Timer from "timer";
      trace("boot\\n");
      const all = [];
      Timer.set(() => { for (;;) all.push(new ArrayBuffer(1000000)); }, 10);`,
      { engine, limitMs: 1_000 },
    );
    expect(lines.length).to.be.above(1);
    expect(events.find((event) => event.type === "restarted")).to.include({ cause: "outOfMemory" });
  });
});
