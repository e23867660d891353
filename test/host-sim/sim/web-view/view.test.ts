// The page that shows a virtual device: what it serves, to whom, and what it sends when things change.

import { request } from "node:http";
import { expect } from "chai";
import { VirtualDevice } from "../../../../host-sim/device/device.js";
import type { Action } from "../../../../host-sim/sim/web-view/action.js";
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
    const own = ["/style.css", "/scene.css", "/drawing.js", "/scene.js", "/senses.js", "/client.js"];
    expect(named).members(["data:,", ...own, "/"]);
    for (const path of own) {
      const { status, body } = await ask(path);
      expect(status, path).equal(200);
      // the name of a namespace is no address
      const addresses = body.replace("http://www.w3.org/2000/svg", "");
      expect(addresses, path).not.match(/https?:|\burl\(|@import|\bimport\b/);
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

describe("what a person does at the page", () => {
  const acted: Action[] = [];
  let view: View;
  before(async () => {
    view = await openView({ facts: () => [FACTS], act: (action) => acted.push(action) });
  });
  beforeEach(() => acted.splice(0));
  after(() => view.close());

  const act = (body: unknown, { method = "POST", type = "application/json" } = {}) =>
    fetch(`${view.url}/act`, {
      method,
      headers: { "content-type": type },
      ...(method === "POST" ? { body: typeof body === "string" ? body : JSON.stringify(body) } : {}),
    }).then(({ status }) => status);

  it("is one kind of request, with what it means", async () => {
    for (const action of [
      { type: "pause" },
      { type: "resume" },
      { type: "speed", speed: 0.5 },
      { type: "speed", speed: null },
      { type: "drive", device: "device", pin: 27, level: 1 },
      { type: "surround", device: "device", temperatureC: -3, humidityPercent: 80 },
    ])
      expect(await act(action)).equal(204);
    expect(acted).deep.equal([
      { type: "pause" },
      { type: "resume" },
      { type: "speed", speed: 0.5 },
      { type: "speed", speed: null },
      { type: "drive", device: "device", pin: 27, level: 1 },
      { type: "surround", device: "device", temperatureC: -3, humidityPercent: 80 },
    ]);
  });

  for (const [what, status, body, options] of [
    ["of a form, as foreign pages can send it", 415, { type: "pause" }, { type: "text/plain" }],
    ["by GET", 405, "", { method: "GET" }],
    ["that is not JSON", 400, "{", {}],
    ["that is no object", 400, "null", {}],
    ["of a kind that there is not", 400, { type: "erase" }, {}],
    ["with a speed of 0", 400, { type: "speed", speed: 0 }, {}],
    ["with a speed that is no number", 400, { type: "speed", speed: "fast" }, {}],
    ["about a pin of nobody", 400, { type: "drive", pin: 27, level: 1 }, {}],
    ["about a pin that there cannot be", 400, { type: "drive", device: "device", pin: 1.5, level: 1 }, {}],
    ["for half a level", 400, { type: "drive", device: "device", pin: 27, level: 0.5 }, {}],
    ["for weather that is none", 400, { type: "surround", device: "device", temperatureC: 99 }, {}],
    ["without a speed", 400, { type: "speed" }, {}],
    ["that is too long", 413, JSON.stringify({ type: "pause", text: "x".repeat(2000) }), {}],
  ] as const)
    it(`is refused: a request ${what}`, async () => {
      expect(await act(body, options)).equal(status);
      expect(acted).deep.equal([]);
    });

  it("does not exist where nothing can be done", async () => {
    const still = await openView({ facts: () => [FACTS] });
    try {
      expect((await fetch(`${still.url}/act`, { method: "POST" })).status).equal(405);
    } finally {
      still.close();
    }
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
