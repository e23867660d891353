// The page that shows a virtual device: what it serves, to whom, and what it sends when things change.

import { request } from "node:http";
import { expect } from "chai";
import { VirtualDevice } from "../../../../host-sim/device/device.js";
import { factsOf } from "../../../../host-sim/sim/web-view/facts.js";
import { openView, type Shown, type View } from "../../../../host-sim/sim/web-view/view.js";
import { World } from "../../../../host-sim/world/world.js";
import { deviceWith } from "../../run-source.js";

const FACTS: Shown = Object.freeze({
  name: "device",
  pages: "http://localhost:8081/",
  state: "running",
  app: "led",
  version: "1.0.0",
  slot: "factory",
  chip: "esp32",
  bootCount: 1,
  addresses: Object.freeze(["192.168.1.100"]),
  seconds: 5,
});

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: string;
}

describe("the page that shows a virtual device", () => {
  let view: View;
  beforeEach(async () => {
    view = await openView({ facts: () => [FACTS] });
  });
  afterEach(() => view.close());

  /** Reads until `done`, or to the end. */
  function ask(
    path: string,
    { host = "localhost", method = "GET", done = (_body: string): boolean => false } = {},
  ): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const asked = request(view.url + path, { method, headers: { host } }, (answer) => {
        let body = "";
        const finish = () => {
          asked.destroy();
          resolve({ status: answer.statusCode!, headers: answer.headers, body });
        };
        answer.on("data", (chunk) => {
          body += chunk;
          if (done(body)) finish();
        });
        answer.on("end", finish);
      });
      asked.on("error", reject);
      asked.end();
    });
  }

  it("needs nothing from other hosts: every resource that it names is its own, and the policy allows no other", async () => {
    const page = await ask("/");
    expect(page.status).equal(200);
    const named = [...page.body.matchAll(/(?:src|href)="([^"]*)"/g)].map(([, path]) => path!);
    expect(named).members(["data:,", "/style.css", "/client.js", "/"]);
    for (const path of ["/style.css", "/client.js"]) {
      const { status, body } = await ask(path);
      expect(status, path).equal(200);
      expect(body).not.match(/https?:|\burl\(|@import|\bimport\b/);
    }
    expect(page.headers["content-security-policy"]).match(
      /^default-src 'none'; script-src 'self'; style-src 'self'/,
    );
    expect(page.headers["content-security-policy"]).not.include("unsafe");
  });

  it("answers to its own names only, and to GET only", async () => {
    expect((await ask("/", { host: "attacker.example" })).status).equal(403);
    expect((await ask("/events", { host: "attacker.example" })).status).equal(403);
    expect((await ask("/", { host: "127.0.0.1:8080" })).status).equal(200);
    expect((await ask("/", { method: "POST" })).status).equal(405);
    expect((await ask("/../package.json")).status).equal(404);
  });

  it("sends late viewers the current state, and then the changes", async () => {
    view.show("device", { type: "pin", pin: 2, level: 1 });
    view.show("device", { type: "panel", width: 8, height: 1, rows: Uint8Array.of(0x80) });
    const watching = ask("/events", { done: (body) => body.includes("BwgJ") });
    const early = await ask("/events", { done: (body) => body.includes('"panel"') });
    expect(early.headers["content-type"]).equal("text/event-stream");
    expect(early.body).include(`event: facts\ndata: ${JSON.stringify([FACTS])}\n\n`);
    expect(early.body).include('event: light\ndata: {"type":"pin","pin":2,"level":1,"device":"device"}\n\n');
    expect(early.body).include('"height":1,"rows":"gA==","device":"device"}');
    view.show("device", { type: "strip", pin: 13, pixels: Uint8Array.of(1, 2, 3) });
    view.show("device", { type: "strip", pin: 13, pixels: Uint8Array.of(7, 8, 9) });
    const { body } = await watching;
    expect(body, "only the last of many frames").not.include("AQID");
  });
});

describe("the facts of a virtual device", () => {
  it("are read from its flash and its state: off, starting, running, asleep", async () => {
    const { device, world } = deviceWith(
      `import FFI from "mc/ffi"; import Timer from "timer"; Timer.set(() => new FFI().skyslot_deep_sleep(60_000), 1000);`,
    );
    expect(factsOf(device)).include({ state: "off", app: "", version: "", slot: "", bootCount: 0 });
    device.powerOn();
    expect(factsOf(device).state).equal("starting");
    await world.runFor(1_000);
    const running = {
      app: "test",
      version: "1.0.0",
      slot: "factory",
      chip: "esp32",
      bootCount: 1,
      seconds: 1,
    };
    expect(factsOf(device)).include({ state: "running", ...running });
    await world.runFor(1_000);
    expect(factsOf(device)).include({ state: "asleep", slot: "factory", version: "1.0.0" });
    device.powerOff();
    expect(factsOf(device).state).equal("off");
  });

  it("omit an image that is invalid", () => {
    const device = new VirtualDevice({ name: "blank", world: new World({ seed: 1 }) });
    expect(factsOf(device)).include({ app: "", version: "", slot: "" });
  });
});
