// The tokens of a device at its servers. The kind: one answer that is not signed must not replace for good what has worked. The given input is
// one answer with a wrong "device_token"; every order of answers, power cuts and servers is another.

import { expect } from "chai";
import type { Effect } from "../../../../firmware/core/effect.js";
import type { Event, Raise, ServerTokens } from "../../../../firmware/core/event.js";
import { initialReport, reportStep } from "../../../../firmware/core/server/report.js";
import {
  authorizationAt,
  jsonHeaders,
  NO_TOKENS,
  OTHER_TOKEN_KEY,
  readServerTokens,
  SERVER_TOKEN_KEY,
} from "../../../../firmware/core/server/server-token.js";
import { initialUpdate, type UpdateState, updateStep } from "../../../../firmware/core/update/update.js";
import { answerEvents, BOOTED, IMAGE, stamped } from "../events.js";
import { carriedOut } from "../saves.js";

const SERVER = "http://updates.test:8080";
const TOKEN = `skd_${"t".repeat(43)}`;
const proved = (server: string, token = TOKEN): ServerTokens => ({ ...NO_TOKENS, proved: { server, token } });

describe("the token that a server gives", () => {
  it("is read from one string with its server", () => {
    expect(SERVER_TOKEN_KEY.length).at.most(15);
    expect(readServerTokens({ [SERVER_TOKEN_KEY]: `${SERVER} ${TOKEN}` })).deep.equal(proved(SERVER));
    for (const damaged of [
      "",
      SERVER,
      `${SERVER} `,
      `${SERVER} a b`,
      `${SERVER} ${"x".repeat(129)}`,
      `${SERVER} a\u0007`,
    ]) {
      expect(readServerTokens({ [SERVER_TOKEN_KEY]: damaged }), damaged).deep.equal(NO_TOKENS);
      for (const kind of ["new", "old", "", "newer"])
        expect(readServerTokens({ [OTHER_TOKEN_KEY]: `${kind} ${damaged}` }), damaged).deep.equal(NO_TOKENS);
    }
  });

  it("is shown to that server only, and the build's enrolment token to the build's server only", () => {
    const build = { ...BOOTED.build, enrolmentToken: "ske_1" };
    const known = proved(SERVER);
    const shown = (...args: Parameters<typeof jsonHeaders>) => jsonHeaders(...args).authorization;
    expect(shown(SERVER, known, build)).equal(`Bearer ${TOKEN}`);
    expect(shown("http://other.test", known, build)).equal(undefined);
    expect(shown(SERVER, NO_TOKENS, build)).equal("Bearer ske_1");
    expect(shown("http://other.test", NO_TOKENS, build)).equal(undefined);
    expect(shown(SERVER, proved("http://other.test"), build)).equal("Bearer ske_1");
    expect(shown(SERVER, NO_TOKENS, { ...build, enrolmentToken: "" })).equal(undefined);
  });

  it("is sent to every address of that server, and to none that only looks like one", () => {
    const known = proved(`${SERVER}/`);
    const shown = (url: string) => authorizationAt(url, known, undefined).authorization;
    // after the ? nothing names a host: the client connects to this server
    const paths = ["", "/", "/api/ota/download/7?device=base-1", "/api/content/base-1", "?@evil.test/x"];
    for (const path of paths) expect(shown(`${SERVER}${path}`), path).equal(`Bearer ${TOKEN}`);
    for (const url of [
      "http://updates.test/api/ota/download/7",
      "http://updates.test:80801/x",
      "http://updates.test:8080.evil.test/x",
      "http://updates.test:8080@evil.test/x",
      "https://updates.test:8080/x",
      "",
      "/api/ota/download/7",
    ])
      expect(shown(url), url).equal(undefined);
  });

  describe("with the answer to a check", () => {
    /** An update machine that is checking, and its effects for this answer. */
    function answered(answer: object, slotState = IMAGE.slotState) {
      let state: UpdateState = initialUpdate;
      const asked: (Effect | Raise)[] = [];
      const on = (event: Parameters<typeof stamped>[0]) => {
        const [next, effects] = updateStep(state, stamped(event));
        state = next;
        asked.push(...effects);
      };
      on({ ...BOOTED, image: { ...IMAGE, slotState } });
      on({ type: "serverChosen", server: SERVER, checkSeconds: 120, hasOwnPace: false });
      on({ type: "online", address: "192.168.1.20", rssi: -50 });
      on({ type: "timerFired", timer: "check" });
      answerEvents(state.attempt, { update_available: false, time: 1, ...answer }).forEach(on);
      const request = asked.find((effect) => effect.type === "startRequest");
      return { state, asked, body: JSON.parse(request?.request.body ?? "{}") };
    }
    const types = ({ asked }: { readonly asked: readonly (Effect | Raise)[] }) =>
      asked.map((effect) => (effect.type === "raise" ? effect.event.type : effect.type));

    it("is stored before it is announced", () => {
      const result = answered({ device_token: TOKEN });
      expect(result.body).include({ keeps_token: true, check_seconds: 120 });
      expect(result.state.serverTokens.other).deep.equal({ server: SERVER, token: TOKEN });
      const order = types(result);
      expect(order.lastIndexOf("store")).above(0).and.below(order.indexOf("serverTokensChanged"));
    });

    it("is ignored when it is malformed", () => {
      for (const device_token of [1, "", "a b", "x".repeat(129), null]) {
        const result = answered({ device_token });
        expect(result.state.serverTokens, `${device_token}`).deep.equal(NO_TOKENS);
        expect(types(result)).not.include("serverTokensChanged");
        expect(result.state.phase).equal("idle");
      }
    });

    it("is neither requested nor accepted on trial: the previous firmware might not support it", () => {
      const result = answered({ device_token: TOKEN }, "pending_verify");
      expect(result.body).not.property("keeps_token");
      expect(result.state.serverTokens).deep.equal(NO_TOKENS);
    });
  });

  it("is in the next report", () => {
    let state = reportStep(initialReport, stamped(BOOTED))[0];
    for (const event of [
      { type: "serverChosen", server: SERVER, checkSeconds: 120, hasOwnPace: false },
      { type: "serverTokensChanged", serverTokens: proved(SERVER) },
      { type: "online", address: "192.168.1.20", rssi: -50 },
    ] as const)
      state = reportStep(state, stamped(event))[0];
    const [, effects] = reportStep(
      state,
      stamped({ type: "reportMade", report: { firmware_id: 1, status: "installing" } }),
    );
    const [request] = effects.filter((effect) => effect.type === "startRequest");
    expect(request?.request.headers.authorization).equal(`Bearer ${TOKEN}`);
  });
});

/** An update machine whose NVS outlives its boots, and the tokens that its checks have shown. */
class Device {
  state: UpdateState = initialUpdate;
  readonly stored: Record<string, string>;
  shown: string[] = [];
  writes: string[] = [];
  logs: string[] = [];
  /** Power fails before the write of this number, counted from 0. */
  cutAtWrite = Number.POSITIVE_INFINITY;
  isOff = false;
  /** NVS takes nothing of a save. */
  isFull = false;

  constructor(stored: Readonly<Record<string, string>> = {}) {
    this.stored = { ...stored };
    this.boot();
  }
  boot(server = SERVER): this {
    this.isOff = false;
    this.on({ ...BOOTED, stored: { ...this.stored } });
    this.on({ type: "serverChosen", server, checkSeconds: 120, hasOwnPace: false });
    return this.on({ type: "online", address: "192.168.1.20", rssi: -50 });
  }
  at(server: string): this {
    return this.on({ type: "serverChosen", server, checkSeconds: 120, hasOwnPace: false });
  }
  on(event: Event): this {
    const [next, effects] = updateStep(this.state, stamped(event));
    this.state = next;
    // where nothing can be stored, none of a save is
    const isSaved = !this.isFull;
    for (const effect of isSaved ? carriedOut(effects) : effects) this.#carryOut(effect);
    return this;
  }
  #carryOut(effect: Effect | Raise): void {
    if (this.isOff) return;
    if (effect.type === "log") this.logs.push(effect.message);
    if (effect.type === "startRequest")
      this.shown.push((effect.request.headers.authorization ?? "nothing").replace("Bearer ", ""));
    if ((effect.type !== "store" && effect.type !== "forget") || !effect.key.includes("token")) return;
    if (this.writes.length === this.cutAtWrite) {
      this.isOff = true;
      return;
    }
    this.writes.push(`${effect.type} ${effect.key}`);
    if (effect.type === "store") this.stored[effect.key] = effect.value;
    else delete this.stored[effect.key];
  }
  /** A check; each request of it is answered by `answer`. Returns what it has shown. */
  check(answer: (token: string) => object | number): string[] {
    this.shown = [];
    this.on({ type: "timerFired", timer: "check" });
    for (let count = 0; this.state.phase === "checking" && !this.isOff; count++) {
      if (count === 4) throw new Error("more requests than tokens");
      const given = answer(this.shown.at(-1) ?? "");
      const [status, body] = typeof given === "number" ? [given, {}] : [200, given];
      for (const event of answerEvents(
        this.state.attempt,
        { update_available: false, time: 1, ...body },
        status,
      ))
        this.on(event);
    }
    return this.shown;
  }
}

/** The update server's rule (server/devices/identity.ts): a token counts from its first use on, and no other after that. */
class Server {
  confirmed: string | undefined;
  issued: string[] = [];
  isRotating = false;
  #count = 0;

  readonly #name: string;

  constructor(name: string) {
    this.#name = name;
  }
  readonly answer = (token: string): object | number => {
    if (token === this.confirmed && !this.isRotating) return {};
    if (this.issued.includes(token)) {
      this.confirmed = token;
      this.issued = [];
      this.isRotating = false;
      return {};
    }
    if (this.confirmed !== undefined && token !== this.confirmed) return 401;
    this.#count += 1;
    const device_token = `${this.#name}-${this.#count}`;
    this.issued = [device_token, ...this.issued].slice(0, 4);
    return { device_token };
  };
}

describe("a device at its server", () => {
  /** With the token a-1, which it has used. */
  const settled = () => {
    const server = new Server("a");
    const device = new Device();
    device.check(server.answer);
    device.check(server.answer);
    return { server, device };
  };

  it("is given a token, shows it, and then keeps it as its own", () => {
    const { server, device } = settled();
    expect(server.confirmed).equal("a-1");
    expect(device.stored).include({ [SERVER_TOKEN_KEY]: `${SERVER} a-1` });
    expect(device.stored).not.property(OTHER_TOKEN_KEY);
    expect(device.boot().check(server.answer)).deep.equal(["a-1"]);
    const count = device.writes.length;
    for (let n = 0; n < 5; n++) device.check(server.answer);
    expect(device.writes, "nothing to write").lengthOf(count);
  });

  it("survives one answer with a token that is worth nothing, whatever it looks like", () => {
    for (const wrong of ["x", "skd_forged", "a-1x", "!".repeat(128)])
      for (const restarts of [false, true]) {
        const { server, device } = settled();
        device.check(() => ({ device_token: wrong }));
        if (restarts) device.boot();
        expect(device.check(server.answer), wrong).deep.equal([wrong, "a-1"]);
        expect(device.logs).include("server answered 401: trying the other token");
        expect(device.check(server.answer), "it is forgotten").deep.equal(["a-1"]);
        expect(device.boot().check(server.answer)).deep.equal(["a-1"]);
      }
  });

  it("survives any number of them in a row", () => {
    const { server, device } = settled();
    for (let n = 0; n < 20; n++) device.check(() => ({ device_token: `forged-${n}` }));
    expect(device.check(server.answer)).deep.equal(["forged-19", "a-1"]);
    expect(device.check(server.answer)).deep.equal(["a-1"]);
  });

  it("survives a forged answer that accepts the forged token as well: the one before is still there", () => {
    const { server, device } = settled();
    device.check(() => ({ device_token: "forged" }));
    device.check(() => ({}));
    expect(device.stored[SERVER_TOKEN_KEY]).equal(`${SERVER} forged`);
    expect(device.boot().check(server.answer)).deep.equal(["forged", "a-1"]);
    expect(device.stored[SERVER_TOKEN_KEY], "its own again").equal(`${SERVER} a-1`);
    expect(device.check(server.answer)).deep.equal(["a-1"]);
  });

  it("follows a server that asks for a new token, also when the answer that brought it was lost", () => {
    const { server, device } = settled();
    server.isRotating = true;
    device.check((token) => {
      server.answer(token);
      return 503;
    });
    expect(device.check(server.answer)).deep.equal(["a-1"]);
    expect(device.check(server.answer)).deep.equal(["a-3"]);
    expect(server.confirmed).equal("a-3");
    expect(device.check(server.answer)).deep.equal(["a-3"]);
  });

  it("follows a server that was restored from a backup of before the new token", () => {
    const { server, device } = settled();
    server.isRotating = true;
    device.check(server.answer);
    device.check(server.answer);
    expect(server.confirmed).equal("a-2");
    server.confirmed = "a-1";
    expect(device.check(server.answer)).deep.equal(["a-2", "a-1"]);
    expect(device.check(server.answer)).deep.equal(["a-1"]);
  });

  it("that forgot both is asked with both in each check, and with no more", () => {
    const { device } = settled();
    device.check(() => ({ device_token: "x" }));
    for (let n = 0; n < 3; n++) expect(device.check(() => 401)).deep.equal(["x", "a-1"]);
    expect(device.logs.at(-1)).match(/does not take this device's token/);
    expect(new Device().check(() => 401)).deep.equal(["nothing"]);
  });

  it("keeps a token that works at every power cut, whatever is being written", () => {
    let cutCount = 0;
    for (const rotates of [false, true])
      for (let cut = 0; cut < 8; cut++) {
        const { server, device } = settled();
        device.writes = [];
        device.cutAtWrite = cut;
        server.isRotating = rotates;
        const answer = (token: string) => (rotates ? server.answer(token) : { device_token: "forged" });
        for (let n = 0; n < 2 && !device.isOff; n++) device.check(n === 0 ? answer : server.answer);
        if (device.isOff) cutCount += 1;
        device.cutAtWrite = Number.POSITIVE_INFINITY;
        device.boot();
        device.check(server.answer);
        expect(device.check(server.answer), `cut ${cut}`).deep.equal([server.confirmed]);
      }
    expect(cutCount).above(4);
  });

  it("still finds both where what was proved cannot be stored", () => {
    const { server, device } = settled();
    server.isRotating = true;
    device.check(server.answer);
    device.isFull = true;
    expect(device.check(server.answer)).deep.equal(["a-2"]);
    expect(server.confirmed).equal("a-2");
    device.isFull = false;
    expect(device.boot().check(server.answer), "the new one is there, and is shown first").deep.equal([
      "a-2",
    ]);
  });

  it("has a token of each of two servers, and shows each its own", () => {
    const OTHER = "http://other.test";
    const [a, b] = [new Server("a"), new Server("b")];
    const device = new Device();
    device.check(a.answer);
    device.check(a.answer);
    device.at(OTHER);
    expect(device.check(b.answer)).deep.equal(["nothing"]);
    expect(device.check(b.answer)).deep.equal(["b-1"]);
    for (const [server, { answer }, token] of [
      [SERVER, a, "a-1"],
      [OTHER, b, "b-1"],
      [SERVER, a, "a-1"],
    ] as const)
      expect(device.at(server).check(answer), server).deep.equal([token]);
    expect(device.boot(OTHER).check(b.answer)).deep.equal(["b-1"]);
    device.check(() => ({ device_token: "forged" }));
    expect(device.check(b.answer)).deep.equal(["forged", "b-1"]);
  });

  it("does not take a token of a server that it has left meanwhile", () => {
    const device = new Device();
    device.on({ type: "timerFired", timer: "check" });
    const { attempt } = device.state;
    device.at("http://other.test");
    for (const event of answerEvents(attempt, { update_available: false, time: 1, device_token: "a-1" }))
      device.on(event);
    expect(device.state.serverTokens).deep.equal(NO_TOKENS);
    expect(device.state.phase).equal("idle");
  });

  it("can be rolled back to firmware that knows one token: it finds the one that was proved", () => {
    const { device } = settled();
    device.check(() => ({ device_token: "forged" }));
    expect(device.stored[SERVER_TOKEN_KEY]).equal(`${SERVER} a-1`);
    expect(device.stored[OTHER_TOKEN_KEY]).equal(`new ${SERVER} forged`);
    expect(OTHER_TOKEN_KEY.length).at.most(15);
  });
});
