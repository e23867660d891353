import { createHash } from "node:crypto";
import { expect } from "chai";
import { textsEqual } from "../../../firmware/core/bytes.js";
import type { Effect } from "../../../firmware/core/effect.js";
import { espotaStep, initialEspota } from "../../../firmware/core/espota.js";
import type { Event, PushOffer, Raise } from "../../../firmware/core/event.js";
import { initialPush, pushStep } from "../../../firmware/core/push.js";
import { BOOTED, stamped } from "./events.js";

const TOKEN = "secret";
const md5 = (text: string) => createHash("md5").update(text).digest("hex");

/** The doors of a device, and what they last asked for. */
class Doors {
  push = initialPush;
  espota = initialEspota;
  effects: readonly (Effect | Raise)[] = [];

  constructor(stored: Readonly<Record<string, string>>, pushToken?: string) {
    this.on({ ...BOOTED, stored: { ...BOOTED.stored, ...stored }, build: { ...BOOTED.build, pushToken } });
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
  datagram(text: string, at = 0, address = "192.168.1.200") {
    return this.on({ type: "datagramReceived", address, port: 5000, text }, at);
  }
  hashed(text: string) {
    return this.on({ type: "textHashed", digest: md5(text) });
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

const sound = { authorization: `Bearer ${TOKEN}`, "content-length": "1000", "x-skyslot-release": "a.b.c" };

describe("the door of a push", () => {
  it("lets a sound request in", () => {
    const doors = new Doors({ "push.token": TOKEN }).request(sound);
    expect(doors.offer).deep.equal({ connection: 1, sizeBytes: 1000, release: "a.b.c" });
  });

  it("takes the stored token before the build's", () => {
    expect(new Doors({ "push.token": TOKEN }, "another").request(sound).offer).not.equal(undefined);
    expect(new Doors({}, TOKEN).request(sound).offer).not.equal(undefined);
    expect(new Doors({ "push.token": "another" }, TOKEN).request(sound).status).equal(403);
    expect(new Doors({ "push.token": "" }, TOKEN).request(sound).status).equal(403);
  });

  it("asks for credentials before it says anything of lengths", () => {
    const doors = new Doors({}, TOKEN);
    expect(doors.request({}).status).equal(401);
    expect(doors.request({ authorization: "Basic c2VjcmV0" }).status).equal(401);
    expect(doors.request({ authorization: "Bearer " }).status).equal(401);
    expect(doors.request({ authorization: "Bearer wrong" }).status).equal(403);
    expect(doors.request({ authorization: `Bearer ${"x".repeat(257)}` }).status).equal(403);
    expect(doors.request({ authorization: `Bearer ${TOKEN}` }).status).equal(411);
  });

  it("takes a body up to the size of the slot", () => {
    const doors = new Doors({}, TOKEN);
    expect(doors.request({ ...sound, "content-length": `${0x200000}` }).offer?.sizeBytes).equal(0x200000);
    expect(doors.request({ ...sound, "content-length": `${0x200001}` }).status).equal(413);
    expect(doors.request({ ...sound, "content-length": "0" }).status).equal(400);
  });

  it("opens once, for espota only when unsigned images are accepted", () => {
    const online = { type: "online", address: "192.168.1.20", rssi: -50 } as const;
    const doors = new Doors({}, TOKEN).on(online);
    expect(doors.effects).deep.equal([{ type: "startPush", espota: false }]);
    expect(doors.on(online).effects).deep.equal([]);
    const open = new Doors({ "push.unsigned": "1" }, TOKEN).on(online);
    expect(open.effects).deep.equal([{ type: "startPush", espota: true }]);
    expect(new Doors({ "push.unsigned": "1" }).on(online).effects).deep.equal([
      { type: "startPush", espota: false },
    ]);
  });
});

describe("espota's door", () => {
  const open = () => new Doors({ "push.unsigned": "1" }, TOKEN);
  const invitation = `0 4000 1000 ${"a".repeat(32)}\n`;
  const answerTo = (doors: Doors, token = TOKEN) => {
    const nonce = doors.said?.slice(5);
    return `200 cnonce ${md5(`${md5(token)}:${nonce}:cnonce`)}\n`;
  };

  it("lets in who answers the challenge", () => {
    const doors = open().datagram(invitation);
    const nonce = doors.said?.slice(5);
    expect(doors.said).match(/^AUTH [0-9a-f]{32}$/);
    doors.datagram(answerTo(doors));
    expect(doors.effects).deep.equal([{ type: "hashText", text: TOKEN }]);
    doors.hashed(TOKEN);
    expect(doors.effects).deep.equal([{ type: "hashText", text: `${md5(TOKEN)}:${nonce}:cnonce` }]);
    doors.hashed(`${md5(TOKEN)}:${nonce}:cnonce`);
    expect(doors.offer).deep.equal({
      connection: -1,
      sizeBytes: 1000,
      espota: { address: "192.168.1.200", port: 4000, replyPort: 5000, md5: "a".repeat(32) },
    });
  });

  it("gives one try for each challenge", () => {
    const doors = open().datagram(invitation);
    const right = answerTo(doors);
    const nonce = doors.said?.slice(5);
    doors
      .datagram(answerTo(doors, "guess"))
      .hashed(TOKEN)
      .hashed(`${md5(TOKEN)}:${nonce}:cnonce`);
    expect(doors.said).equal("Authentication Failed");
    expect(doors.datagram(right).effects).deep.equal([]);
  });

  it("forgets a challenge after ten seconds, and takes no answer from another address", () => {
    const late = open().datagram(invitation);
    expect(late.datagram(answerTo(late), 10_000).effects).deep.equal([]);
    const other = open().datagram(invitation);
    expect(other.datagram(answerTo(other), 0, "192.168.1.66").effects).deep.equal([]);
  });

  it("says nothing to what it does not understand, and nothing at all when it is off", () => {
    for (const text of ["", "hello", "0 1 2", `0 4000 1000 ${"z".repeat(32)}`, "200 x y"]) {
      expect(open().datagram(text).effects, text).deep.equal([]);
    }
    expect(new Doors({}, TOKEN).datagram(invitation).effects).deep.equal([]);
    expect(new Doors({ "push.unsigned": "1" }).datagram(invitation).effects).deep.equal([]);
  });

  it("refuses a file system", () => {
    expect(open().datagram(invitation.replace("0 ", "100 ")).said).match(/ERROR: command 100/);
  });
});

describe("the comparison of secrets", () => {
  it("tells equal from different, of whatever length", () => {
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
