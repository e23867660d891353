import { createHash, pbkdf2Sync } from "node:crypto";
import { expect } from "chai";
import { textsEqual } from "../../../../firmware/core/bytes.js";
import type { Effect } from "../../../../firmware/core/effect.js";
import type { Event, PushOffer, Raise } from "../../../../firmware/core/event.js";
import { espotaStep, initialEspota } from "../../../../firmware/core/local/espota.js";
import { initialPush, pushStep } from "../../../../firmware/core/local/push.js";
import { BOOTED, stamped } from "../events.js";

const TOKEN = "secret";
const hash = (algorithm: string, text: string) => createHash(algorithm).update(text).digest("hex");
const md5 = (text: string) => hash("md5", text);
const sha256 = (text: string) => hash("sha256", text);

const ONLINE = { type: "online", address: "192.168.1.20", rssi: -50 } as const;

/** The push ports of a device, and what they last requested. */
class Doors {
  push = initialPush;
  espota = initialEspota;
  effects: readonly (Effect | Raise)[] = [];
  computed = "";

  constructor(stored: Readonly<Record<string, string>>, pushToken?: string) {
    this.on({ ...BOOTED, stored: { ...BOOTED.stored, ...stored }, build: { ...BOOTED.build, pushToken } });
    this.on(ONLINE);
  }
  on(event: Event, at = 0): this {
    const one = { ...stamped(event), at };
    const [push, effects] = pushStep(this.push, one);
    const [espota, more] = espotaStep(this.espota, push, one);
    this.push = push;
    this.espota = espota;
    this.effects = [...effects, ...more];
    return this;
  }
  request(headers: Readonly<Record<string, string>>, method = "POST") {
    const head = { method, path: "/update", headers };
    return this.on({ type: "pushRequested", connection: 1, head });
  }
  datagram(text: string, at = 0, address = "192.168.1.200", port = 5000) {
    return this.on({ type: "datagramReceived", address, port, text }, at);
  }
  /** Computes what is requested until nothing more is. */
  compute(): this {
    const asked: string[] = [];
    for (;;) {
      const [effect] = this.effects;
      if (effect?.type === "hashText") asked.push(effect.algorithm);
      else if (effect?.type === "deriveKey") asked.push("PBKDF2");
      else break;
      const digest = effect.type === "hashText" ? hash(effect.algorithm, effect.text) : keyOf(effect);
      this.on({ type: "textHashed", digest });
    }
    this.computed = asked.join(" ");
    return this;
  }
  get status(): number | undefined {
    return this.effects.map((effect) =>
      effect.type === "answerPush" ? effect.response.status : undefined,
    )[0];
  }
  get offer(): PushOffer | undefined {
    return this.effects.map((effect) =>
      effect.type === "raise" && effect.event.type === "pushOffered" ? effect.event.offer : undefined,
    )[0];
  }
  get said(): string | undefined {
    return this.effects.map((effect) => (effect.type === "sendDatagram" ? effect.text : undefined))[0];
  }
}

const keyOf = ({ password, salt, rounds }: Extract<Effect, { readonly type: "deriveKey" }>) =>
  pbkdf2Sync(password, salt, rounds, 32, "sha256").toString("hex");

const sound = { authorization: `Bearer ${TOKEN}`, "content-length": "1000", "x-skyslot-release": "a.b.c" };

describe("access to the push port", () => {
  it("is granted to a valid request", () => {
    const doors = new Doors({ "push.token": TOKEN }).request(sound);
    expect(doors.offer).deep.equal({ connection: 1, sizeBytes: 1000, release: "a.b.c" });
  });

  it("is refused before the device is in its network", () => {
    const [state] = pushStep(
      initialPush,
      stamped({ ...BOOTED, build: { ...BOOTED.build, pushToken: TOKEN } }),
    );
    const head = { method: "POST", path: "/update", headers: sound };
    const [, effects] = pushStep(state, stamped({ type: "pushRequested", connection: 1, head }));
    expect(effects).to.have.nested.property("[0].response.status", 503);
  });

  it("is answered in text, and in JSON to who asks for it", () => {
    const doors = new Doors({}, TOKEN);
    const [text] = doors.request({ authorization: "Bearer wrong" }).effects;
    expect(text).to.have.nested.property("response.body", "this is not the push token of this device\n");
    const asked = { authorization: "Bearer wrong", accept: "application/json" };
    const [json] = doors.request(asked).effects;
    expect(JSON.parse(json?.type === "answerPush" ? json.response.body : "")).deep.equal({
      ok: false,
      message: "this is not the push token of this device",
    });
    expect(doors.request({ ...sound, accept: "application/json" }).offer).deep.equal({
      connection: 1,
      sizeBytes: 1000,
      isJson: true,
      release: "a.b.c",
    });
  });

  it("prefers the stored token to the build's", () => {
    expect(new Doors({ "push.token": TOKEN }, "another").request(sound).offer).not.equal(undefined);
    expect(new Doors({}, TOKEN).request(sound).offer).not.equal(undefined);
    expect(new Doors({ "push.token": "another" }, TOKEN).request(sound).status).equal(403);
    expect(new Doors({ "push.token": "" }, TOKEN).request(sound).status).equal(403);
  });

  it("requires credentials before it evaluates lengths", () => {
    const doors = new Doors({}, TOKEN);
    expect(doors.request({}).status).equal(401);
    expect(doors.request({ authorization: "Basic c2VjcmV0" }).status).equal(401);
    expect(doors.request({ authorization: "Bearer " }).status).equal(401);
    expect(doors.request({ authorization: "Bearer wrong" }).status).equal(403);
    expect(doors.request({ authorization: `Bearer ${"x".repeat(257)}` }).status).equal(403);
    expect(doors.request({ authorization: `Bearer ${TOKEN}` }).status).equal(411);
  });

  it("is granted for a body up to the size of the slot", () => {
    const doors = new Doors({}, TOKEN);
    expect(doors.request({ ...sound, "content-length": `${0x200000}` }).offer?.sizeBytes).equal(0x200000);
    expect(doors.request({ ...sound, "content-length": `${0x200001}` }).status).equal(413);
    expect(doors.request({ ...sound, "content-length": "0" }).status).equal(400);
    const { "content-length": _length, ...chunked } = sound;
    expect(doors.request({ ...chunked, "transfer-encoding": "chunked" }).status).equal(411);
    expect(doors.request({ ...chunked, "transfer-encoding": "gzip, chunked" }).status).equal(501);
  });

  it("is granted for an unsigned image only if the owner has allowed it", () => {
    const { "x-skyslot-release": _release, ...unsigned } = sound;
    for (const stored of [{}, { "push.unsigned": "0" }, { "push.unsigned": "" }])
      expect(new Doors(stored, TOKEN).request(unsigned).status).equal(403);
    const open = new Doors({ "push.unsigned": "1" }, TOKEN);
    expect(open.request(unsigned).offer).deep.equal({ connection: 1, sizeBytes: 1000 });
    expect(open.on({ type: "unsignedChosen", accept: false }).request(unsigned).status).equal(403);
    expect(open.request(sound).offer?.release).equal("a.b.c");
  });

  it("compares the whole token, and refuses everything if none is set", () => {
    const doors = new Doors({}, TOKEN);
    for (const token of ["secre", "secret2", "Secret", "s", " secret "]) {
      const asked = new Doors({}, TOKEN).request({ ...sound, authorization: `Bearer ${token}` });
      expect(asked.status, token).equal(403);
    }
    expect(doors.request({ ...sound, authorization: "Bearer " }).status).equal(401);
    const off = new Doors({});
    for (const authorization of ["Bearer ", "Bearer x", "", "Bearer undefined"])
      expect(off.request({ ...sound, authorization }).status, authorization).equal(403);
    doors.on({ type: "tokenChosen", token: "another" });
    expect(doors.request(sound).status).equal(403);
    expect(doors.request({ ...sound, authorization: "Bearer another" }).offer).not.equal(undefined);
  });

  it("is refused for other paths, methods, and preflight requests of other pages", () => {
    const ask = (method: string, path: string, headers: Readonly<Record<string, string>>) =>
      new Doors({}, TOKEN).on({ type: "pushRequested", connection: 1, head: { method, path, headers } })
        .status;
    expect(ask("POST", "/other", sound)).equal(404);
    expect(ask("GET", "/update", sound)).equal(405);
    expect(ask("HEAD", "/update", sound)).equal(405);
    expect(ask("FOO", "/update", sound)).equal(501);
    expect(ask("OPTIONS", "/update", { host: "192.168.1.20:3232", origin: "http://192.168.1.20" })).equal(
      204,
    );
    expect(ask("OPTIONS", "/update", { host: "192.168.1.20:3232", origin: "http://evil.example" })).equal(
      403,
    );
  });

  it("is opened once, for espota only when unsigned images are accepted", () => {
    const doors = new Doors({}, TOKEN);
    expect(doors.effects).deep.equal([{ type: "startPush", espota: false }]);
    expect(doors.on(ONLINE).effects).deep.equal([]);
    const open = new Doors({ "push.unsigned": "1" }, TOKEN);
    expect(open.effects).deep.equal([{ type: "startPush", espota: true }]);
    expect(new Doors({ "push.unsigned": "1" }).effects).deep.equal([{ type: "startPush", espota: false }]);
  });
});

describe("access by espota", () => {
  const open = () => new Doors({ "push.unsigned": "1" }, TOKEN);
  const invitation = `0 4000 1000 ${"a".repeat(32)}\n`;
  const nonceOf = (doors: Doors) => doors.said?.slice(5) ?? "";
  /** For a sender that reads 37 bytes of the challenge. */
  const oldAnswer = (nonce: string, token = TOKEN) =>
    `200 cnonce ${md5(`${md5(token)}:${nonce.slice(0, 32)}:cnonce`)}\n`;
  const newAnswer = (nonce: string, token = TOKEN) => {
    const key = keyOf({
      type: "deriveKey",
      for: "espota",
      password: sha256(token),
      salt: `${nonce}:${CNONCE}`,
      rounds: 10_000,
    });
    return `200 ${CNONCE} ${sha256(`${key}:${nonce}:${CNONCE}`)}\n`;
  };
  const CNONCE = sha256("cnonce");

  it("is granted to an answer as older tools compute it", () => {
    const doors = open().datagram(invitation);
    expect(doors.said).match(/^AUTH [0-9a-f]{64}$/);
    doors.datagram(oldAnswer(nonceOf(doors))).compute();
    expect(doors.computed).equal("MD5 MD5");
    expect(doors.offer).deep.equal({
      connection: -1,
      sizeBytes: 1000,
      espota: { address: "192.168.1.200", port: 4000, replyPort: 5000, md5: "a".repeat(32) },
    });
  });

  it("is granted to an answer as newer tools compute it, from another port", () => {
    const doors = open().datagram(invitation);
    doors.datagram(newAnswer(nonceOf(doors)), 0, "192.168.1.200", 5001).compute();
    expect(doors.computed).equal("SHA256 PBKDF2 SHA256");
    expect(doors.offer?.espota).deep.equal({
      address: "192.168.1.200",
      port: 4000,
      replyPort: 5001,
      md5: "a".repeat(32),
    });
  });

  it("computes what Python's hashlib computes", () => {
    const doors = new Doors({ "push.unsigned": "1" }, "a-real-password").datagram(invitation);
    const nonce = "ab".repeat(32);
    const { invitation: open } = doors.espota;
    if (open) doors.espota = { ...doors.espota, invitation: { ...open, nonce } };
    const answer = "4d63ba8b1efa8949a0c5caefe7e8bc77db582e5531bdf2667c663394b4551b93";
    doors.datagram(`200 ${"cd".repeat(32)} ${answer}\n`).compute();
    expect(doors.offer?.sizeBytes).equal(1000);
  });

  it("uses a new nonce each time", () => {
    const doors = new Doors({ "push.unsigned": "1" }, TOKEN);
    const fresh = Array.from({ length: 20 }, (_, i) => {
      const event = { type: "datagramReceived", address: "192.168.1.200", port: 5000, text: invitation };
      const one = stamped(event as Event, i / 20);
      const [espota, effects] = espotaStep(doors.espota, doors.push, one);
      doors.espota = espota;
      doors.effects = effects;
      return nonceOf(doors).slice(0, 32);
    });
    expect(new Set(fresh).size).equal(20);
  });

  it("allows one try per challenge", () => {
    for (const answerTo of [oldAnswer, newAnswer]) {
      const doors = open().datagram(invitation);
      const nonce = nonceOf(doors);
      doors.datagram(answerTo(nonce, "guess")).compute();
      expect(doors.said).equal("Authentication Failed");
      expect(doors.datagram(answerTo(nonce)).effects).deep.equal([]);
    }
  });

  it("ignores a digest that it did not request", () => {
    const doors = open().datagram(invitation);
    const nonce = nonceOf(doors);
    expect(doors.on({ type: "textHashed", digest: "" }).effects).deep.equal([]);
    doors.datagram(newAnswer(nonce)).compute();
    expect(doors.offer).not.equal(undefined);
  });

  it("drops a challenge after ten seconds, and accepts no answer from another address", () => {
    const late = open().datagram(invitation);
    expect(late.datagram(oldAnswer(nonceOf(late)), 10_000).effects).deep.equal([]);
    const other = open().datagram(invitation);
    expect(other.datagram(oldAnswer(nonceOf(other)), 0, "192.168.1.66").effects).deep.equal([]);
  });

  it("is silent to malformed packets, and entirely silent when it is off", () => {
    for (const text of ["", "hello", "0 1 2", `0 4000 1000 ${"z".repeat(32)}`, "200 x y"]) {
      expect(open().datagram(text).effects, text).deep.equal([]);
    }
    expect(new Doors({}, TOKEN).datagram(invitation).effects).deep.equal([]);
    expect(new Doors({ "push.unsigned": "1" }).datagram(invitation).effects).deep.equal([]);
  });

  it("is refused for a file system image", () => {
    expect(open().datagram(invitation.replace("0 ", "100 ")).said).match(/ERROR: command 100/);
  });
});

describe("the comparison of secrets", () => {
  it("distinguishes equal from different, at any length", () => {
    expect(textsEqual("abc", "abc")).equal(true);
    for (const [a, b] of [
      ["abc", "abd"],
      ["abc", "ab"],
      ["ab", "abc"],
      ["", "a"],
      ["a", ""],
    ] as const) {
      expect(textsEqual(a, b), `${a} and ${b}`).equal(false);
    }
    expect(textsEqual("aa", "a")).equal(false);
  });
});
