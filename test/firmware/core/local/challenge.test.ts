// Proof of the owner's token by an answer to a challenge, at both ports: the device's machines against answers that node:crypto makes.

import { expect } from "chai";
import { step } from "../../../../firmware/core/device.js";
import { type DeviceState, initialDevice } from "../../../../firmware/core/device-state.js";
import type { Effect } from "../../../../firmware/core/effect.js";
import type { Event } from "../../../../firmware/core/event.js";
import { readAnswer } from "../../../../firmware/core/local/challenge.js";
import { proofOf } from "../../../../firmware/core/update/proof.js";
import { BOOTED, stamped } from "../events.js";
import { type AnswerParts, answerTo as answerWith, computedOf, sha256 } from "../hashes.js";
import { carriedOut, purposesOf } from "../saves.js";

const TOKEN = "let me in, please";
const HOST = "base-0000a1.local";
const IMAGE = sha256("the image");
const OTHER = sha256("another image");
const LAPTOP = "192.168.1.9";
const STRANGER = "192.168.1.66";

const answerTo = (parts: Partial<AnswerParts> & Pick<AnswerParts, "nonce">) =>
  answerWith({ token: TOKEN, sha256: IMAGE, ...parts });

/** A device at home whose hashes are node:crypto's. */
class Home {
  state: DeviceState = initialDevice;
  at = 60_000;
  effects: Effect[] = [];
  derived = 0;
  /** There is no memory for a key. */
  isFull = false;

  constructor(stored: Readonly<Record<string, string>> = {}) {
    const all = { layout: "1", networks: '[["home","secret password"]]', "push.token": TOKEN, ...stored };
    this.on({ ...BOOTED, stored: all });
    this.on({ type: "wifiJoined", attempt: 1, address: "192.168.1.20", rssi: -50 });
  }

  on(event: Event): this {
    this.effects = this.#run(event);
    return this;
  }

  #run(event: Event): Effect[] {
    // each event has a random number of its own, as on the chip
    const random = (this.at % 977) / 977;
    const [state, asked] = step(this.state, { ...stamped(event), at: this.at++, random });
    this.state = state;
    const effects = carriedOut(asked) as Effect[];
    const saved = purposesOf(asked).flatMap((purpose) => this.#run({ type: "saved", purpose }));
    return [...effects, ...saved, ...effects.flatMap((effect) => this.#compute(effect))];
  }

  #compute(effect: Effect): Effect[] {
    const event = computedOf(effect);
    if (event?.type === "keyDerived") this.derived++;
    if (!event) return [];
    return this.#run(event.type === "keyDerived" && this.isFull ? { ...event, key: "" } : event);
  }

  push(
    authorization: string | undefined,
    address = LAPTOP,
    more: Readonly<Record<string, string | undefined>> = {},
  ) {
    const all = {
      "content-length": "1000",
      "x-skyslot-release": "a.b.c",
      ...(authorization === undefined ? {} : { authorization }),
      ...more,
    };
    const sent = Object.entries(all).filter(([, value]) => value !== undefined);
    const headers = Object.fromEntries(sent) as Record<string, string>;
    const head = { method: "POST", path: "/update", headers };
    return this.on({ type: "pushRequested", connection: 1, head, address }).#answer("answerPush");
  }

  ask(path: string, body: string, authorization?: string, address = LAPTOP) {
    const request = {
      connection: 3,
      method: "POST",
      path,
      host: HOST,
      body,
      contentType: "application/json",
    };
    return this.on({ type: "requestReceived", ...request, authorization, address }).#answer("respond");
  }

  #answer(type: "answerPush" | "respond") {
    const found = this.effects.find((effect) => effect.type === type) as
      | Extract<Effect, { readonly type: "respond" }>
      | undefined;
    return found?.response;
  }

  /** The nonce of a request without credentials. */
  nonce(address = LAPTOP): string {
    const asked = this.push(undefined, address)?.headers["www-authenticate"] ?? "";
    return /nonce="([^"]+)"/.exec(asked)?.[1] ?? "";
  }

  pageNonce(path: string, body: string, address = LAPTOP): string {
    const asked = this.ask(path, body, undefined, address)?.headers["www-authenticate"] ?? "";
    return /nonce="([^"]+)"/.exec(asked)?.[1] ?? "";
  }

  /** The update machine has taken a push for verification. */
  get isTaken(): boolean {
    return this.effects.some(({ type }) => type === "verifySignature") || this.#refusedRelease;
  }
  get #refusedRelease(): boolean {
    return this.effects.some((effect) => effect.type === "log" && /release/.test(effect.message));
  }
}

describe("an answer to the challenge of port 3232", () => {
  it("authorizes the push of its image, and never contains the token", () => {
    const home = new Home();
    const asked = home.push(undefined);
    expect(asked?.status).equal(401);
    expect(asked?.headers["www-authenticate"]).match(
      /^Skyslot realm="base-0000a1", nonce="1-[0-9a-f]{32}", rounds=10000, Bearer$/,
    );
    const answer = answerTo({ nonce: home.nonce() });
    expect(answer).not.include(TOKEN);
    home.push(answer);
    expect(home.isTaken).equal(true);
  });

  it("agrees to one image: its SHA-256 is what the slot has to have, without a release too", () => {
    const home = new Home({ "push.unsigned": "1" });
    home.push(answerTo({ nonce: home.nonce() }), LAPTOP, { "x-skyslot-release": undefined });
    const { update } = home.state;
    expect(update.phase).equal("streaming");
    if (update.phase !== "streaming") return;
    expect(proofOf(update.job)).deep.equal({ algorithm: "SHA256", length: 1000, digest: IMAGE });
  });

  it("is refused if anything of it is another's", () => {
    const wrong: readonly (readonly [string, Partial<AnswerParts>])[] = [
      ["token", { token: "let me in, pleasE" }],
      ["device", { realm: "base-0000a2" }],
      ["rounds", { rounds: 1 }],
      ["path", { path: "/api/ota/upload" }],
      ["method", { method: "PUT" }],
      ["image", { said: OTHER }],
    ];
    for (const [what, given] of wrong) {
      const home = new Home();
      expect(home.push(answerTo({ nonce: home.nonce(), ...given }))?.status, what).equal(403);
    }
  });

  it("is refused with each digit of its MAC changed, the last one too", () => {
    for (let digit = 0; digit < 64; digit += 9) {
      const home = new Home();
      const answer = answerTo({ nonce: home.nonce() });
      const at = answer.length - 2 - digit;
      const changed = answer[at] === "0" ? "1" : "0";
      const other = answer.slice(0, at) + changed + answer.slice(at + 1);
      expect(home.push(other)?.status, `digit ${digit}`).equal(403);
    }
  });

  it("counts once, whether it was right or wrong", () => {
    for (const token of [TOKEN, "another token"]) {
      const home = new Home();
      const nonce = home.nonce();
      home.push(answerTo({ nonce, token }));
      const again = home.push(answerTo({ nonce }));
      expect([
        again?.status,
        /nonce="([^"]+)"/.exec(again?.headers["www-authenticate"] ?? "")?.[1],
      ]).not.include(nonce);
      expect(again?.status, token).equal(401);
    }
  });

  it("counts for a minute, and from the address that was asked", () => {
    const home = new Home();
    const early = home.nonce();
    home.at += 59_000;
    home.push(answerTo({ nonce: early }));
    expect(home.isTaken).equal(true);
    const other = new Home();
    const late = other.nonce();
    other.at += 60_000;
    expect(other.push(answerTo({ nonce: late }))?.status).equal(401);
    expect(other.push(answerTo({ nonce: other.nonce(LAPTOP) }), STRANGER)?.status).equal(401);
    expect(other.push(answerTo({ nonce: "1-00000000000000000000000000000000" }))?.status).equal(401);
  });

  it("costs the device its key once, and again after another token was set", () => {
    const home = new Home();
    for (let i = 0; i < 3; i++)
      home.push(answerTo({ nonce: home.nonce(), token: i === 2 ? TOKEN : "wrong one" }));
    expect(home.derived).equal(1);
    home.on({ type: "tokenChosen", token: "another token" });
    expect(home.push(answerTo({ nonce: home.nonce() }))?.status).equal(403);
    home.push(answerTo({ nonce: home.nonce(), token: "another token" }));
    expect([home.derived, home.isTaken]).deep.equal([2, true]);
  });

  it("is answered even where there is no memory for the key", () => {
    const home = new Home();
    home.isFull = true;
    expect(home.push(answerTo({ nonce: home.nonce() }))?.status).equal(503);
    home.isFull = false;
    home.push(answerTo({ nonce: home.nonce() }));
    expect(home.isTaken).equal(true);
  });

  it("is looked at after the wait that wrong answers cost", () => {
    const home = new Home();
    for (let i = 0; i < 4; i++) home.push(answerTo({ nonce: home.nonce(), token: "wrong one" }));
    const nonce = home.nonce();
    const slowed = home.push(answerTo({ nonce }));
    expect([slowed?.status, slowed?.headers["retry-after"]]).deep.equal([429, "1"]);
    expect(home.push(`Bearer ${TOKEN}`)?.status).equal(429);
    home.at += 1_000;
    home.push(answerTo({ nonce }));
    expect(home.isTaken).equal(true);
  });

  it("needs no more memory than for eight nonces, three of one address", () => {
    const home = new Home();
    const own = home.nonce();
    for (let i = 0; i < 50; i++) home.nonce(STRANGER);
    expect(home.state.push.proof.challenges.nonces.length).equal(4);
    home.push(answerTo({ nonce: own }));
    expect(home.isTaken, "a stranger who asks on does not use up the owner's").equal(true);
    for (let i = 0; i < 50; i++) home.nonce(`10.0.0.${i}`);
    expect(home.state.push.proof.challenges.nonces.length).equal(8);
  });

  it("is to a nonce that is never said twice, even if chance repeats itself", () => {
    const home = new Home();
    const nonces = Array.from({ length: 50 }, () => {
      home.at = 60_000;
      return home.nonce();
    });
    expect(new Set(nonces).size).equal(50);
  });

  it("is all that counts once the owner has switched the token itself off", () => {
    const home = new Home({ "push.bearer": "0" });
    const asked = home.push(`Bearer ${TOKEN}`);
    expect(asked?.status).equal(401);
    expect(asked?.headers["www-authenticate"]).match(/^Skyslot .*rounds=10000$/);
    expect(asked?.body).not.include("Bearer TOKEN");
    home.push(answerTo({ nonce: home.nonce() }));
    expect(home.isTaken).equal(true);
    home.on({ type: "bearerChosen", accept: true }).push(`Bearer ${TOKEN}`);
    expect(home.push(`Bearer ${TOKEN}`)?.status).not.equal(401);
  });
});

describe("an answer to the challenge of the device's own API", () => {
  const change = JSON.stringify({ deviceName: "Kitchen" });
  const digest = sha256(change);
  const path = "/api/settings";

  it("carries out the request that it is about", () => {
    const home = new Home({ "push.bearer": "0" });
    expect(home.ask(path, change, `Bearer ${TOKEN}`)?.status).equal(401);
    const nonce = home.pageNonce(path, change);
    const done = home.ask(path, change, answerTo({ nonce, path, sha256: digest }));
    expect(JSON.parse(done?.body ?? "").deviceName).equal("Kitchen");
  });

  it("carries out no other: another body, path, or the same one again", () => {
    const home = new Home();
    const nonce = () => home.pageNonce(path, change);
    const other = JSON.stringify({ deviceName: "Attic" });
    expect(home.ask(path, other, answerTo({ nonce: nonce(), path, sha256: digest }))?.status).equal(403);
    expect(
      home.ask("/api/restart", change, answerTo({ nonce: nonce(), path, sha256: digest }))?.status,
    ).equal(403);
    const used = answerTo({ nonce: nonce(), path, sha256: digest });
    expect(home.ask(path, change, used)?.status).equal(200);
    expect(home.ask(path, change, used)?.status).equal(401);
    expect(home.state.localApi.preferences?.deviceName).equal("Kitchen");
  });

  it("is slowed down like the token itself", () => {
    const home = new Home();
    for (let i = 0; i < 4; i++) expect(home.ask(path, change, "Bearer wrong one")?.status).equal(403);
    const slowed = home.ask(path, change, `Bearer ${TOKEN}`);
    expect([slowed?.status, slowed?.headers["retry-after"]]).deep.equal([429, "1"]);
    expect(home.ask(path, change, `Bearer ${TOKEN}`, STRANGER)?.status, "another address").equal(200);
    home.at += 1_000;
    expect(home.ask(path, change, `Bearer ${TOKEN}`)?.status).equal(200);
  });

  it("is switched on and off by the owner alone, and stays so over a restart", () => {
    const home = new Home();
    const off = JSON.stringify({ acceptBearer: false });
    expect(home.ask(path, off)?.status).equal(401);
    const done = home.ask(path, off, `Bearer ${TOKEN}`);
    expect(JSON.parse(done?.body ?? "").acceptBearer).equal(false);
    expect(home.effects).deep.include({ type: "store", key: "push.bearer", value: "0" });
    expect(home.ask(path, change, `Bearer ${TOKEN}`)?.status).equal(401);
    expect(home.push(`Bearer ${TOKEN}`)?.status, "port 3232").equal(401);
  });
});

describe("the header of an answer", () => {
  const good = `Skyslot nonce="1-ab", sha256="${"a".repeat(64)}", mac="${"b".repeat(64)}"`;

  it("is read with or without blanks behind its commas, and its scheme in any case", () => {
    const expected = { nonce: "1-ab", sha256: "a".repeat(64), mac: "b".repeat(64) };
    for (const text of [good, good.replaceAll(", ", ","), good.replace("Skyslot", "SKYSLOT")])
      expect(readAnswer(text)).deep.equal(expected);
  });

  it("is malformed if anything is missing, more or of another length", () => {
    for (const text of [
      "Skyslot ",
      `${good}, more="x"`,
      good.replace("1-ab", ""),
      good.replace("1-ab", "a".repeat(49)),
      good.replace("aaa", "aa"),
      good.replace("bbb", "BBB"),
      good.replaceAll('"', ""),
    ])
      expect(readAnswer(text), text).equal("malformed");
  });

  it("is none of other schemes", () => {
    for (const text of [undefined, "", "Bearer x", "Skyslotx y", "Basic Skyslot "])
      expect(readAnswer(text)).equal(undefined);
  });
});
