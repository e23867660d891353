import { expect } from "chai";
import type { Stamped } from "../../../../firmware/core/event.js";
import {
  initialPoll,
  type PollEffect,
  type PollInput,
  type PollSettings,
  type PollState,
  pollStep,
} from "../../../../firmware/core/system/poll.js";
import { thumbprint } from "../../../../firmware/core/trust/thumbprint.js";
import { BOOTED, KEY } from "../events.js";
import { generalJws } from "../releases.js";
import { ASKING_ROOT, point } from "../roots.js";

const SETTINGS: PollSettings = {
  server: "http://updates.test",
  name: "doorbell",
  version: "1.0.0",
  trust: { root: undefined, keys: [KEY] },
  headers: { authorization: "Bearer x" },
  pollMs: 3_600_000,
  isFree: true,
};

const PAYLOAD = {
  format: 1,
  name: "doorbell",
  version: "1.1.0",
  components: [
    {
      name: "receiver",
      type: "receiver",
      hardware: "esp32",
      version: "1.1.0",
      build: 0,
      sha256: "a".repeat(64),
    },
  ],
  rebootDelaySeconds: 2,
  healthTimeoutSeconds: 30,
  created: 1_800_000_000,
};

const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");

function answerOf(change: object = {}, header: object = {}, device: object = {}): string {
  const head = { alg: "ES256", typ: "skyslot-system", kid: "key-1", ...header };
  const signature = Buffer.alloc(64, 7).toString("base64url");
  const manifest = `${encode(head)}.${encode({ ...PAYLOAD, ...change })}.${signature}`;
  const links = { release_url: "/r/1", download_url: "/d/1", digests_url: "/d/1/digests", ...device };
  return JSON.stringify({ manifest, devices: { receiver: links, stranger: links } });
}

class Poller {
  state: PollState = initialPoll;
  effects: readonly PollEffect[] = [];
  settings = SETTINGS;

  give(event: PollInput): this {
    const stamp = { at: 0, random: 0.5, freeHeapBytes: 100_000 };
    [this.state, this.effects] = pollStep(
      this.state,
      { ...event, ...stamp } as Stamped<PollInput>,
      this.settings,
      -1_000,
    );
    return this;
  }

  asking = (): this => this.give(BOOTED).give({ type: "timerFired", timer: "system.poll" });

  answered(text: string): this {
    const { attempt } = this.asking().state;
    return this.give({ type: "responseStarted", attempt, status: 200, headers: {} }).give({
      type: "textCollected",
      attempt,
      text,
    });
  }

  signed = (good: boolean): this =>
    this.give({ type: "signatureVerified", attempt: this.state.attempt, good });

  get types() {
    return this.effects.map(({ type }) => type);
  }

  get log() {
    return this.effects.flatMap((effect) => (effect.type === "log" ? [effect.message] : []))[0];
  }

  get waitMs() {
    return this.effects.flatMap((effect) => (effect.type === "setTimer" ? [effect.delayMs] : []))[0];
  }
}

describe("the poll of a system's manifest", () => {
  it("asks the server, and tells of a newer version once its signature is verified, an hour before it asks again", () => {
    const poller = new Poller().asking();
    const { attempt } = poller.state;
    expect(poller.effects[0]).deep.equal({
      type: "startRequest",
      attempt,
      request: {
        method: "GET",
        url: "http://updates.test/api/v1/systems/doorbell/manifest?releases=links",
        headers: SETTINGS.headers,
      },
    });
    poller.answered(answerOf());
    expect(poller.types).deep.equal(["closeRequest", "verifySignature"]);
    poller.signed(true);
    const raised = poller.effects[0];
    expect(raised).nested.include({
      type: "raise",
      "event.type": "systemFound",
      "event.system.version": "1.1.0",
    });
    expect(raised)
      .nested.property("event.links")
      .deep.equal([
        { name: "receiver", releaseUrl: "/r/1", downloadUrl: "/d/1", digestsUrl: "/d/1/digests" },
      ]);
    expect(poller.waitMs).equal(3_600_000);
  });

  it("tells nothing if the signature is wrong", () => {
    const poller = new Poller().answered(answerOf()).signed(false);
    expect(poller.types).not.include("raise");
    expect(poller.log).equal("system manifest: its signature is wrong");
  });

  it("tells nothing of the version that runs, of an older one, or where there is none", () => {
    for (const version of ["1.0.0", "0.9.0"]) {
      const poller = new Poller().answered(answerOf({ version }));
      expect(poller.types).deep.equal(["closeRequest", "setTimer"]);
      expect(poller.waitMs).equal(3_600_000);
    }
    const poller = new Poller().asking();
    poller.give({ type: "responseStarted", attempt: poller.state.attempt, status: 404, headers: {} });
    expect(poller.waitMs).equal(3_600_000);
  });

  it("refuses what is not for it, and asks again with growing pauses", () => {
    for (const [text, why] of [
      [answerOf({}, { kid: "key-2" }), "it is signed by key key-2, which this firmware does not trust"],
      [answerOf({ name: "gate" }), 'it is of "gate"'],
      [answerOf({ minCompatibleVersion: "1.0.1" }), "1.0.1 has to be installed first"],
      ["[]", "the answer has no manifest"],
    ] as const)
      expect(new Poller().answered(text).log).equal(`system manifest: ${why}`);
    expect(new Poller().answered(answerOf({}, { typ: "skyslot-release" })).log).match(/typ skyslot-system/);
    const poller = new Poller().asking();
    const waits: (number | undefined)[] = [];
    for (let i = 0; i < 8; i++) {
      poller.give({ type: "requestFailed", attempt: poller.state.attempt, message: "no" });
      waits.push(poller.waitMs);
      poller.give({ type: "timerFired", timer: "system.poll" });
    }
    expect(waits.slice(0, 3)).deep.equal([45_000, 90_000, 180_000]);
    expect(waits.at(-1)).equal(2_700_000);
  });

  describe("where the trust root asks for two signatures of a release", () => {
    const [first, second, stranger] = [4, 5, 6].map((key) => thumbprint(point(key))) as [
      string,
      string,
      string,
    ];
    const settings: PollSettings = {
      ...SETTINGS,
      trust: { keys: [], root: { ...ASKING_ROOT, releaseThreshold: 2, fastForward: [] } },
    };
    const answered = (...keyIds: string[]) => {
      const poller = new Poller();
      poller.settings = settings;
      const manifest = generalJws({ ...PAYLOAD, format: 2 }, keyIds, { typ: "skyslot-system" });
      return poller.answered(JSON.stringify({ manifest, devices: {} }));
    };

    it("tells of a system that two of its keys have signed", () => {
      const poller = answered(first, second);
      for (const key of [4, 5]) {
        const [verify] = poller.effects.filter(({ type }) => type === "verifySignature");
        expect(verify).deep.include({ key: point(key) });
        expect(poller.state.phase).equal("verifying");
        poller.signed(true);
      }
      expect(poller.types).deep.equal(["raise", "setTimer"]);
      expect(poller.effects[0]).not.nested.property("event.verification");
    });

    it("tells nothing of one that one key has signed, also twice, or with a stranger", () => {
      const missing = "system manifest: it is signed by 1 trusted key, trust root 1 asks for 2";
      for (const keys of [[first], [first, first], [first, stranger]])
        expect(answered(...keys).log).equal(missing);
      const poller = new Poller();
      poller.settings = settings;
      expect(poller.answered(answerOf({}, { kid: first })).log, "compact").equal(missing);
    });

    it("tells nothing if either signature is wrong", () => {
      const wrong = "system manifest: its signature is wrong";
      expect(answered(first, second).signed(false).log).equal(wrong);
      expect(answered(first, second).signed(true).signed(false).log).equal(wrong);
    });
  });

  it("takes only addresses on the server itself", () => {
    for (const download_url of ["http://evil.test/1", "//evil.test/1", "", 7, `/${"x".repeat(300)}`]) {
      const poller = new Poller().answered(answerOf({}, {}, { download_url })).signed(true);
      expect(poller.effects[0], `${download_url}`).nested.property("event.links").deep.equal([]);
    }
  });

  it("gives up after 30 s, ignores other attempts, and asks nobody while others use the client", () => {
    const poller = new Poller().asking();
    expect(poller.effects.at(-1)).include({ delayMs: 30_000 });
    expect(poller.give({ type: "requestFailed", attempt: 1, message: "no" }).effects).deep.equal([]);
    expect(poller.give({ type: "timerFired", timer: "system.poll" }).log).equal("system manifest: no answer");
    for (const change of [{ isFree: false }, { server: "" }, { name: "" }]) {
      poller.settings = { ...SETTINGS, ...change };
      expect(poller.give({ type: "timerFired", timer: "system.poll" }).types).deep.equal(["setTimer"]);
    }
  });
});
