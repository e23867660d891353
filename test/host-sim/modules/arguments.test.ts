// What the SDK's modules do with invalid arguments: errors that firmware can catch by their class, as on the chip.

import { expect } from "chai";
import { runSource } from "../run-source.js";

/** Prints the class of what each action throws, compared with the firmware's own classes, or "nothing". */
const PRELUDE = `
  import Timer from "timer";
  import KeyValue from "embedded:storage/key-value";
  import Flash from "embedded:storage/flash";
  import Update from "embedded:update";
  import TCP from "embedded:io/socket/tcp";
  import UDP from "embedded:io/socket/udp";
  import Listener from "embedded:io/socket/listener";
  import WiFi from "embedded:network/interface/wifi";
  const CLASSES = { TypeError, RangeError, SyntaxError, Error };
  const thrown = (action) => {
    try { action(); return "nothing"; }
    catch (error) { return Object.keys(CLASSES).find((name) => error.constructor === CLASSES[name]) ?? "foreign"; }
  };
  const report = (...actions) => trace(actions.map(thrown).join() + "\\n");
  new WiFi({});
`;

const errorsOf = async (source: string): Promise<string[]> => (await runSource(PRELUDE + source)).lines;

describe("arguments of the SDK's modules", () => {
  it("that cannot become numbers are the firmware's own TypeError", async () => {
    expect(
      await errorsOf(`
        const id = Timer.set(() => {}, 1000000);
        report(() => Timer.set(() => {}, 1n), () => Timer.repeat(() => {}, Symbol()), () => Timer.schedule(id, 5, 1n),
          () => Timer.delay(Symbol()), () => new TCP({ address: "127.0.0.1", port: Symbol() }),
          () => new Listener({ port: 1n }), () => new UDP({ port: Symbol() }));
        const numbers = KeyValue.open({ path: "test", format: "uint8" });
        report(() => numbers.write("key", Symbol()), () => numbers.write("key", 1n), () => numbers.write("key", {}));
      `),
    ).to.deep.equal([Array(7).fill("TypeError").join(), "TypeError,TypeError,nothing"]);
  });

  it("that cannot become strings are the firmware's own TypeError", async () => {
    expect(
      await errorsOf(`
        const texts = KeyValue.open({ path: "test", format: "string" });
        const partition = Flash.open({ path: "nextota" });
        report(() => texts.read(Symbol()), () => texts.delete(Symbol()), () => texts.write("key", Symbol()),
          () => KeyValue.open({ path: Symbol() }), () => Flash.open({ path: Symbol() }),
          () => Update.open({ partition, mode: Symbol() }), () => Update.open({ partition, byteLength: Symbol() }));
        report(() => Update.open({ partition, byteLength: "abcd" }));
      `),
    ).to.deep.equal([Array(7).fill("TypeError").join(), "RangeError"]);
  });

  it("whose conversion throws rethrow that error", async () => {
    expect(
      await errorsOf(`report(() => Timer.set(() => {}, { valueOf() { throw new RangeError("mine"); } }),
        () => KeyValue.open({ path: { toString() { throw new SyntaxError("mine"); } } }));`),
    ).to.deep.equal(["RangeError,SyntaxError"]);
  });

  it("for close must be objects of its class, and may be closed repeatedly", async () => {
    expect(
      await errorsOf(`
        const objects = [KeyValue.open({ path: "test" }), Flash.open({ path: "nextota" }), new UDP({}),
          new Listener({ port: 8000 }), new TCP({ address: "127.0.0.1", port: 9 })];
        for (const object of objects) {
          report(() => object.close.call({}), () => object.close.call("a string"), () => object.close.call([]),
            () => object.close(), () => object.close());
        }
      `),
    ).to.deep.equal(Array(5).fill("SyntaxError,SyntaxError,SyntaxError,nothing,nothing"));
  });

  it("to read into must be a buffer, not a function", async () => {
    const lines = await errorsOf(`
      const listener = new Listener({ port: 8000, onReadable() { this.read().write(Uint8Array.of(1, 2)); } });
      new TCP({ address: "127.0.0.1", port: 8000, onReadable() { report(() => this.read(Math.sin)); this.close(); } });
    `);
    expect(lines).to.deep.equal(["TypeError"]);
  });

  it("must include a host name, of up to 32 bytes", async () => {
    const lines = await errorsOf(`
      const wifi = new WiFi({});
      let asked = 0;
      wifi.configure({ hostname: { toString() { asked += 1; return "kitchen"; } } });
      trace(asked > 0, "\\n");
      report(() => wifi.configure({ hostname: "a".repeat(32) }), () => wifi.configure({ hostname: "a".repeat(33) }));
    `);
    expect(lines).to.deep.equal(["true", "nothing,Error"]);
  });
});

describe("net", () => {
  it("resolves localhost without a query", async () => {
    const { lines } = await runSource(`
      import Net from "net";
      Net.resolve("localhost", (name, address) => trace(name + " " + address + "\\n"));
    `);
    expect(lines).to.deep.equal(["localhost 127.0.0.1"]);
  });
});

describe("wifi", () => {
  it("ends a scan without results when its mode is switched off, and accepts any object as options", async () => {
    const { lines } = await runSource(`
      import WiFi from "wifi";
      WiFi.mode = WiFi.Mode.station;
      WiFi.scan(class { static hidden = true; static get active() { trace("asked\\n"); } }, (item) => trace(item, "\\n"));
      WiFi.mode = WiFi.Mode.none;
    `);
    expect(lines).to.deep.equal(["asked", "null"]);
  });
});
