// The trust root is replaced: by what a server has, by what a person sends, and by nothing else.

import { expect } from "chai";
import type { Effect } from "../../../../firmware/core/effect.js";
import type { Event, Raise } from "../../../../firmware/core/event.js";
import { thumbprint } from "../../../../firmware/core/trust/thumbprint.js";
import { initialUpdate, type UpdateState } from "../../../../firmware/core/update/state.js";
import { updateStep } from "../../../../firmware/core/update/update.js";
import { BOOTED, stamped } from "../events.js";
import { HEADER, jws, PAGED } from "../releases.js";
import { BY_TWO, type FakeSigner, point, ROOT, rootText } from "../roots.js";
import { STAGED } from "../update-phases.js";

const TIME = 1_795_000_000;
const next = (changes: object = {}, signers: readonly FakeSigner[] = BY_TWO) =>
  rootText({ ...ROOT, version: 2, ...changes }, signers);

/** It holds root 1; whose signatures are good, a test says by the numbers of the keys. */
class Device {
  state: UpdateState = initialUpdate;
  asked: readonly (Effect | Raise)[] = [];
  at = 0;

  constructor(changes: Partial<typeof BOOTED> = {}, root: string | undefined = rootText()) {
    this.on({ ...BOOTED, ...changes, build: { ...BOOTED.build, root } });
    this.state = { ...this.state, online: true, server: "http://updates.test" };
  }
  on(event: Event): this {
    [this.state, this.asked] = updateStep(this.state, { ...stamped(event), at: this.at });
    return this;
  }
  /** A check, and its answer. */
  checked(more: object = { root_url: "/api/v1/roots/2" }): this {
    this.on({ type: "timerFired", timer: "check" });
    const { attempt } = this.state;
    const text = JSON.stringify({ update_available: false, time: TIME, ...more });
    this.on({ type: "responseStarted", attempt, status: 200, headers: {} });
    return this.on({ type: "textCollected", attempt, text });
  }
  fetched(text: string): this {
    const { attempt } = this.state;
    this.on({
      type: "responseStarted",
      attempt,
      status: 200,
      headers: { "content-length": `${text.length}` },
    });
    return this.on({ type: "textCollected", attempt, text });
  }
  given(text: string): this {
    return this.on({ type: "rootGiven", connection: 5, text });
  }
  /** Answers for each signature that is verified. Bad are those by these keys, and those that are verified with the point of another key. */
  verified(bad: readonly number[] = []): this {
    for (let count = 0; this.state.phase === "verifyingRoot"; count++) {
      expect(count, "verifications").below(5);
      const effect = this.asked.find(({ type }) => type === "verifySignature") as Extract<
        Effect,
        { readonly type: "verifySignature" }
      >;
      const [number = 0] = effect.signature;
      const good = effect.key.x === point(number).x && !bad.includes(number);
      this.on({ type: "signatureVerified", attempt: this.state.attempt, good });
    }
    return this;
  }
  stored(): this {
    return this.on({ type: "saved", purpose: "root" });
  }
  get version(): number | undefined {
    return this.state.trust.root?.version;
  }
  get saved(): unknown {
    for (const effect of this.asked) if (effect.type === "save") return effect.values;
    return undefined;
  }
  get requested(): string | undefined {
    for (const effect of this.asked) if (effect.type === "startRequest") return effect.request.url;
    return undefined;
  }
  get answer() {
    for (const effect of this.asked)
      if (effect.type === "respond")
        return { status: effect.response.status, ...JSON.parse(effect.response.body ?? "") };
    return undefined;
  }
  get failure(): string | undefined {
    for (const effect of this.asked)
      if (effect.type === "raise" && effect.event.type === "updateFailed") return effect.event.message;
    return undefined;
  }
  get checksInMs(): number | undefined {
    for (const effect of this.asked)
      if (effect.type === "setTimer" && effect.timer === "check") return effect.delayMs;
    return undefined;
  }
}

describe("the trust root, replaced by a server's", () => {
  it("is fetched, verified, stored and then in force, and the check after it comes at once", () => {
    const device = new Device().checked();
    expect(device.requested).equal("http://updates.test/api/v1/roots/2");
    const text = next();
    expect(device.fetched(text).state.phase).equal("verifyingRoot");
    expect(device.verified().saved).deep.equal({ "trust.root": text });
    expect(device.version, "before it is stored").equal(1);
    expect(device.stored().version).equal(2);
    expect(device.state.phase).equal("idle");
    expect(device.checksInMs).equal(0);
    expect(device.asked).deep.include({
      type: "raise",
      event: { type: "rootHeld", root: device.state.trust.root },
    });
  });

  it("follows one version after the other, also over expired ones", () => {
    const device = new Device();
    for (let version = 2; version <= 4; version++) {
      const expires = version < 4 ? TIME - 1 : TIME + 1000;
      device
        .checked({ root_url: `/api/v1/roots/${version}` })
        .fetched(next({ version, expires }))
        .verified()
        .stored();
      expect(device.version).equal(version);
    }
    expect(device.checked({ root_url: "/api/v1/roots/6" }).fetched(next({ version: 6 })).failure).match(
      /after version 4 comes 5/,
    );
    expect(device.version).equal(4);
  });

  it("is told with each check", () => {
    const body = (device: Device) => {
      device.on({ type: "timerFired", timer: "check" });
      for (const effect of device.asked)
        if (effect.type === "startRequest") return JSON.parse(effect.request.body ?? "{}");
    };
    expect(body(new Device()).root_version).equal(1);
    expect(body(new Device({ stored: { "trust.root": next() } })).root_version).equal(2);
    expect(body(new Device({}, ""))).not.have.property("root_version");
  });

  it("comes before an offer in the same answer, which comes again", () => {
    const offer = {
      update_available: true,
      firmware_id: 7,
      version: "1.1.0",
      download_url: "/i",
      release: jws(PAGED),
    };
    const device = new Device().checked({ ...offer, root_url: "/api/v1/roots/2" });
    expect(device.state.phase).equal("fetchingRoot");
  });

  it("is signed by enough keys of both, or nothing is stored", () => {
    const refused = (text: string, bad: readonly number[] = []) => {
      const device = new Device().checked().fetched(text).verified(bad);
      expect(device.saved).equal(undefined);
      expect(device.state.phase).equal("idle");
      expect(device.version).equal(1);
      return device.failure;
    };
    expect(refused(next(), [1])).match(/by 1 keys of version 1, which asks for 2/);
    expect(refused(next(), [1, 2])).match(/by 0 keys/);
    // said to be of another key than the one that made it
    expect(
      refused(
        next({}, [
          { number: 1, key: 0 },
          { number: 1, key: 1 },
        ]),
      ),
    ).match(/by 1 keys/);
    expect(refused(next({ version: 3 }))).match(/after version 1 comes 2/);
    expect(refused("{}")).match(/General JSON/);
    const three = [...BY_TWO, { number: 3, key: 2 }];
    const small = { keys: ROOT.keys.slice(0, 4), release: [3], freshness: [] };
    expect(refused(next(small, three), [1, 3])).match(/by 1 keys/);
    expect(new Device().checked().fetched(next(small, three)).verified([1]).saved).not.equal(undefined);
  });

  it("does not keep a device from offers when it is bad: it is fetched again after an hour", () => {
    const device = new Device().checked().fetched("{}");
    device.at = 3_599_999;
    expect(device.checked().state.phase).equal("idle");
    device.at = 3_600_000;
    expect(device.checked().state.phase).equal("fetchingRoot");
  });

  it("tells the server why it was refused, until a check is answered", () => {
    const device = new Device().checked().fetched(next()).verified([1]);
    const told = () => {
      device.on({ type: "timerFired", timer: "check" });
      for (const effect of device.asked)
        if (effect.type === "startRequest") return JSON.parse(effect.request.body ?? "{}").root_refused;
    };
    expect(told()).match(/^trust root: it is signed by 1 keys of version 1/);
    device.on({ type: "requestFailed", attempt: device.state.attempt, message: "no" });
    expect(told()).match(/^trust root: /);
    device.on({ type: "requestFailed", attempt: device.state.attempt, message: "no" });
    device.checked({});
    expect(told()).equal(undefined);
    expect(new Device().given("{}").state.rootRefused, "a person's").equal("");
  });

  it("is not fetched for ever: what fails on the way ends it for ten minutes", () => {
    for (const [fail, why] of [
      [(attempt: number) => ({ type: "responseStarted", attempt, status: 404, headers: {} }), /answered 404/],
      [
        (attempt: number) => ({
          type: "responseStarted",
          attempt,
          status: 200,
          headers: { "content-length": "1537" },
        }),
        /1537 bytes/,
      ],
      [(attempt: number) => ({ type: "responseEnded", attempt }), /ended early/],
      [(attempt: number) => ({ type: "requestFailed", attempt, message: "no route" }), /no route/],
      [() => ({ type: "timerFired", timer: "transfer" }), /no answer within 30 s/],
      [() => ({ type: "offline" }), /network was lost/],
    ] as const) {
      const device = new Device().checked();
      device.on(fail(device.state.attempt) as Event);
      expect(device.state.phase, `${why}`).equal("idle");
      expect(
        device.asked.some((effect) => effect.type === "log" && why.test(effect.message)),
        `${why}`,
      ).equal(true);
      expect(device.state.rootsFromMs).equal(600_000);
      device.on({ type: "online", address: "192.168.1.2", rssi: -50 });
      expect(device.checked().state.phase).equal("idle");
    }
  });

  it("is not asked for by an image without one, on trial, or while several devices are updated", () => {
    expect(new Device({}, "").checked().state.phase).equal("idle");
    const onTrial = new Device({ image: { ...BOOTED.image, slot: "ota_0", slotState: "pending_verify" } });
    expect(onTrial.checked().state.phase).equal("idle");
    const held = new Device().on({ type: "installationsHeld", reason: "a system", images: [] });
    expect(held.checked().state.phase).equal("idle");
  });

  it("that cannot be stored is not in force", () => {
    const device = new Device().checked().fetched(next()).verified();
    device.on({ type: "saveFailed", purpose: "root", message: "full" });
    expect(device.version).equal(1);
    expect(device.failure).match(/could not be stored: full/);
  });

  it("revokes what is staged: it may be signed by a key that is not trusted any more", () => {
    const device = new Device();
    device.state = { ...device.state, staged: STAGED };
    device.checked().fetched(next()).verified();
    // in this order: a power cut in between must not leave the new root with an image that it has revoked
    expect(
      device.asked.map(({ type }) => type).filter((type) => type !== "log" && type !== "raise"),
    ).deep.equal(["eraseSlot", "forget", "save"]);
    expect(device.asked).deep.include({ type: "forget", key: "staged" });
    expect(device.stored().state.staged).equal(undefined);
  });

  it("leaves what is staged alone when it is refused", () => {
    const device = new Device();
    device.state = { ...device.state, staged: STAGED };
    expect(device.checked().fetched(next()).verified([1]).state.staged).equal(STAGED);
  });

  it("is fetched at once when a release needs it, and then the release is looked at again", () => {
    const kid = thumbprint(point(4));
    const release = jws({ ...PAGED, minRoot: 2 }, { ...HEADER, kid });
    const offer = { update_available: true, firmware_id: 7, version: "1.1.0", download_url: "/i", release };
    const device = new Device().checked(offer);
    const verified = () =>
      device.on({ type: "signatureVerified", attempt: device.state.attempt, good: true });
    verified();
    expect(device.failure).match(/needs trust root 2, this device has 1/);
    expect(device.requested).equal("http://updates.test/api/v1/roots/2");
    device.fetched(next()).verified().stored().checked(offer);
    expect(verified().state.phase).equal("requesting");
  });
});

describe("the trust root, replaced by a file", () => {
  it("is answered when it is stored, also without a network", () => {
    const device = new Device();
    device.state = { ...device.state, online: false };
    device.given(next()).verified();
    expect(device.answer).equal(undefined);
    expect(device.stored().answer).include({ status: 200, rootVersion: 2 });
    expect(device.version).equal(2);
  });

  it("ends a check, and waits for an update", () => {
    const device = new Device().on({ type: "timerFired", timer: "check" });
    expect(device.given(next()).asked.map(({ type }) => type)).include("closeRequest");
    const busy = new Device().checked();
    expect(busy.given(next()).answer).include({ status: 409, code: "BUSY" });
  });

  it("is refused with a sentence", () => {
    expect(new Device().given("{}").answer).include({ status: 422, code: "ROOT_REFUSED" });
    expect(new Device().given(next()).verified([1]).answer).include({ status: 422, code: "ROOT_REFUSED" });
    expect(new Device({}, "").given(next()).answer.message).match(/no trust root built in/);
  });

  it("may have expired, and says that nothing is installed until the next one comes", () => {
    const device = new Device()
      .given(next({ expires: 1 }))
      .verified()
      .stored();
    expect(device.answer.message).match(/has expired/);
    expect(device.version).equal(2);
  });
});
