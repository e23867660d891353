// Who may invite the device by espota. The kind: senders of several generations that answer the same challenge in their own ways, and
// command lines whose numbers are none. Digests are stand-ins here; test/journey/push-espota.test.ts has the real ones.

import { expect } from "chai";
import type { Effect } from "../../../../firmware/core/effect.js";
import type { Event, PushOffer } from "../../../../firmware/core/event.js";
import { type EspotaState, espotaStep, initialEspota } from "../../../../firmware/core/local/espota.js";
import { initialPush } from "../../../../firmware/core/local/push.js";

const TOKEN = "let me in";
const MD5 = "0123456789abcdef0123456789abcdef";
const PUSH = {
  ...initialPush,
  token: TOKEN,
  acceptUnsigned: true,
  slotBytes: 0x200000,
};

/** Some digest of that length in hex digits. */
function digest(text: string, digits: number): string {
  let hash = 7;
  let hex = "";
  for (let i = 0; hex.length < digits; i++) {
    hash = (hash * 31 + text.charCodeAt(i % text.length) + i) % 0x7fffffff;
    if (i >= text.length) hex += (hash % 16).toString(16);
  }
  return hex;
}
const md5 = (text: string) => digest(`md5 ${text}`, 32);
const sha256 = (text: string) => digest(`sha256 ${text}`, 64);
const derived = (password: string, salt: string) => digest(`derived ${password} ${salt}`, 64);

class Invited {
  state: EspotaState = initialEspota;
  at = 0;
  readonly told: string[] = [];
  readonly offers: PushOffer[] = [];
  random = 0.123456;

  on(event: Event): void {
    this.random = (this.random * 7.7) % 1;
    const stamped = { ...event, at: this.at, random: this.random, freeHeapBytes: 0 };
    const [next, effects] = espotaStep(this.state, PUSH, stamped);
    this.state = next;
    for (const effect of effects) this.#carryOut(effect as Effect | { type: "raise"; event: Event });
  }

  datagram(text: string, address = "192.168.1.9", port = 5000): this {
    this.on({ type: "datagramReceived", address, port, text });
    return this;
  }

  /** The last challenge. */
  get nonce(): string {
    return this.told.findLast((text) => text.startsWith("AUTH "))?.slice(5) ?? "";
  }

  #carryOut(effect: Effect | { readonly type: "raise"; readonly event: Event }): void {
    if (effect.type === "sendDatagram") this.told.push(effect.text);
    if (effect.type === "hashText")
      this.on({ type: "textHashed", digest: (effect.algorithm === "MD5" ? md5 : sha256)(effect.text) });
    if (effect.type === "deriveKey")
      this.on({ type: "textHashed", digest: derived(effect.password, effect.salt) });
    if (effect.type === "raise" && effect.event.type === "pushOffered") this.offers.push(effect.event.offer);
  }
}

const SENDERS: Readonly<Record<string, (nonce: string, token: string) => string>> = {
  "arduino-esp32 2.x": (nonce, token) =>
    `200 ${md5("c")} ${md5(`${md5(token)}:${nonce.slice(0, 32)}:${md5("c")}`)}`,
  "the ESP8266 core": (nonce, token) => `200 ${md5("c")} ${md5(`${md5(token)}:${nonce}:${md5("c")}`)}`,
  "arduino-esp32 3.3.1": (nonce, token) =>
    `200 ${sha256("c")} ${sha256(`${derived(sha256(token), `${nonce}:${sha256("c")}`)}:${nonce}:${sha256("c")}`)}`,
};

describe("an invitation by espota", () => {
  for (const [who, answer] of Object.entries(SENDERS)) {
    it(`is accepted with the token, as ${who} answers`, () => {
      const device = new Invited().datagram(`0 40000 1000 ${MD5}\n`);
      expect(device.nonce).match(/^[0-9a-f]{64}$/);
      device.datagram(`${answer(device.nonce, TOKEN)}\n`, "192.168.1.9", 5001);
      const espota = { address: "192.168.1.9", port: 40_000, replyPort: 5001, md5: MD5 };
      expect(device.offers).deep.equal([{ connection: -1, sizeBytes: 1000, espota }]);
    });

    it(`is refused with another token, as ${who} answers`, () => {
      for (const token of ["", "let me", "let me in "]) {
        const device = new Invited().datagram(`0 40000 1000 ${MD5}\n`);
        device.datagram(answer(device.nonce, token));
        expect(device.offers, token).deep.equal([]);
        expect(device.told.at(-1)).equal("Authentication Failed");
        device.datagram(answer(device.nonce, TOKEN));
        expect(device.offers, "one answer to a challenge").deep.equal([]);
      }
    });
  }

  it("has one answer: to its own challenge, from its own address, within ten seconds", () => {
    const answer = SENDERS["the ESP8266 core"]!;
    const before = new Invited().datagram(`0 40000 1000 ${MD5}`);
    const old = before.nonce;
    before.datagram(`0 40000 1000 ${MD5}`);
    expect(before.nonce).not.equal(old);
    expect(before.datagram(answer(old, TOKEN)).offers).deep.equal([]);

    const elsewhere = new Invited().datagram(`0 40000 1000 ${MD5}`);
    expect(elsewhere.datagram(answer(elsewhere.nonce, TOKEN), "192.168.1.10").offers).deep.equal([]);

    const late = new Invited().datagram(`0 40000 1000 ${MD5}`);
    late.at = 10_000;
    expect(late.datagram(answer(late.nonce, TOKEN)).offers).deep.equal([]);
    expect(new Invited().datagram(answer("0".repeat(64), TOKEN)).offers, "without a challenge").deep.equal(
      [],
    );
  });

  it("with a number that is none starts nothing", () => {
    const silent = [
      `0 -1 1000 ${MD5}`,
      `0 40000 -1 ${MD5}`,
      `-0 40000 1000 ${MD5}`,
      `0 +40000 1000 ${MD5}`,
      `0 40000 1e3 ${MD5}`,
      `0 0x50 1000 ${MD5}`,
      `0 40000 9007199254740992 ${MD5}`,
      `0 400000 1000 ${MD5}`,
      `0 40000 1,000 ${MD5}`,
      `0  40000 1000 ${MD5}`,
      `0 40000 1000 ${MD5.slice(1)}`,
      `0 40000 1000 ${MD5}0`,
      `0 40000 1000 ${MD5.toUpperCase()}`,
      `0 40000 1000`,
      `0 40000 ${MD5}`,
      "0",
      "",
      " ",
      "0 ٤ 1 x",
      `${"9".repeat(200)} 1 1 ${MD5}`,
      `0 40000 1000 ${MD5} x`,
    ];
    for (const text of silent) expect(new Invited().datagram(text).told, text).deep.equal([]);
    for (const [text, why] of [
      [`0 0 1000 ${MD5}`, "ERROR: 0 is no port"],
      [`0 65536 1000 ${MD5}`, "ERROR: 65536 is no port"],
      [`0 99999 1000 ${MD5}`, "ERROR: 99999 is no port"],
      [`0 40000 0 ${MD5}`, "ERROR: image is 0 bytes, slot is 2097152"],
      [`0 40000 2097153 ${MD5}`, "ERROR: image is 2097153 bytes, slot is 2097152"],
      [`0 40000 9999999999 ${MD5}`, "ERROR: image is 9999999999 bytes, slot is 2097152"],
      [`100 40000 1000 ${MD5}`, "ERROR: command 100 is not known, firmware is 0"],
    ] as const)
      expect(new Invited().datagram(text).told, text).deep.equal([why]);
  });

  it("is ended by an answer that is none", () => {
    const answer = SENDERS["the ESP8266 core"]!;
    for (const bad of [
      "200 ",
      "200 x",
      `200 ${MD5}`,
      `200 ${MD5} ${MD5}${MD5}0`,
      `200 ${"c".repeat(65)} ${MD5}`,
      `200 ${MD5} ${"x".repeat(32)}`,
    ]) {
      const device = new Invited().datagram(`0 40000 1000 ${MD5}`);
      device.datagram(bad).datagram(answer(device.nonce, TOKEN));
      expect(device.offers, bad).deep.equal([]);
    }
  });
});
