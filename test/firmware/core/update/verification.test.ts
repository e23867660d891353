// Releases that are signed once or twice, and what a trust root asks of them.

import { expect } from "chai";
import type { Effect } from "../../../../firmware/core/effect.js";
import type { Event, Raise, Root } from "../../../../firmware/core/event.js";
import { thumbprint } from "../../../../firmware/core/trust/thumbprint.js";
import { parseRelease } from "../../../../firmware/core/update/release.js";
import { initialUpdate, type UpdateState } from "../../../../firmware/core/update/state.js";
import { updateStep } from "../../../../firmware/core/update/update.js";
import { MAX_RELEASE_LENGTH } from "../../../../firmware/core/wire.js";
import { BOOTED, stamped } from "../events.js";
import { generalJws, HEADER, jws, PAGED, pagesOf, TWICE } from "../releases.js";
import { point, ROOT, rootText } from "../roots.js";

const [FIRST, SECOND, ROOT_KEY] = [4, 5, 1].map((number) => thumbprint(point(number))) as [
  string,
  string,
  string,
];
const TWO = { ...ROOT, releaseThreshold: 2 };
const TIME = 1_795_000_000;
const once = (changes: object = {}, kid = FIRST) => jws({ ...PAGED, ...changes }, { ...HEADER, kid });
const twice = (keyIds: readonly string[], changes: object = {}) =>
  generalJws({ ...TWICE, ...changes }, keyIds);

/** Of which the image has this trust root. */
class Device {
  state: UpdateState = initialUpdate;
  asked: readonly (Effect | Raise)[] = [];

  constructor(root: object = ROOT, more: Partial<typeof BOOTED> = {}) {
    this.on({ ...BOOTED, ...more, build: { ...BOOTED.build, keys: [], root: rootText(root) } });
    this.state = { ...this.state, online: true, server: "http://updates.test" };
  }
  on(event: Event): this {
    [this.state, this.asked] = updateStep(this.state, stamped(event));
    return this;
  }
  offered(release: string): this {
    this.on({ type: "timerFired", timer: "check" });
    const { attempt } = this.state;
    const offer = {
      update_available: true,
      time: TIME,
      firmware_id: 7,
      version: "1.1.0",
      download_url: "/image",
    };
    this.on({ type: "responseStarted", attempt, status: 200, headers: {} });
    return this.on({ type: "textCollected", attempt, text: JSON.stringify({ ...offer, release }) });
  }
  pushed(release: string): this {
    return this.on({ type: "pushOffered", offer: { connection: 3, sizeBytes: PAGED.size, release } });
  }
  verified(good = true): this {
    return this.on({ type: "signatureVerified", attempt: this.state.attempt, good });
  }
  get keys(): unknown[] {
    return this.asked.flatMap((effect) => (effect.type === "verifySignature" ? [effect.key] : []));
  }
  get code(): string | undefined {
    for (const effect of this.asked)
      if (effect.type === "raise" && effect.event.type === "updateFailed") return effect.event.code;
    return undefined;
  }
}

describe("a release of format 3", () => {
  it("is read with its signatures, and with what each of them signs", () => {
    const text = twice([FIRST, SECOND]);
    const parsed = parseRelease(text);
    const { payload, signatures } = JSON.parse(text);
    expect(parsed.ok && parsed.value.release.digestsOf).equal("pages");
    expect(parsed.ok && parsed.value.signatures.map(({ keyId }) => keyId)).deep.equal([FIRST, SECOND]);
    const second = parsed.ok ? parsed.value.signatures[1] : undefined;
    const start = second?.signedStart ?? 0;
    expect(second?.head + text.slice(start, start + (second?.signedLength ?? 0))).equal(
      `${signatures[1].protected}.${payload}`,
    );
  });

  it("fits with two signatures for an image of 5 MiB", () => {
    const large = { size: 5 * 1024 * 1024, pages: pagesOf(5), sequence: 4_000_000_000, minRoot: 9 };
    expect(twice([FIRST, SECOND], large).length).most(MAX_RELEASE_LENGTH);
  });

  it("in any other form is refused", () => {
    const sentence = (text: string) => {
      const parsed = parseRelease(text);
      return parsed.ok ? "OK" : parsed.failure.message;
    };
    expect(sentence(jws(TWICE))).match(/format 3 has the general form/);
    expect(sentence(generalJws(PAGED, [FIRST]))).match(/format 3 has the general form/);
    expect(sentence(twice([]))).match(/0 signatures, 1 to 2/);
    expect(sentence(twice([FIRST, SECOND, ROOT_KEY]))).match(/3 signatures, 1 to 2/);
    expect(sentence(generalJws(TWICE, [FIRST], {}, "AA"))).match(/64 bytes/);
    expect(sentence(twice([FIRST]).replace(/"protected":"[^"]*"/, '"protected":"e30"'))).match(
      /header must say/,
    );
    for (const text of ["{", "{}", '{"payload":"e30"}', '{"payload":1,"signatures":[]}'])
      expect(sentence(text)).match(/General JSON/);
  });

  it("is refused, as one of the compact form, where its header calls something critical", () => {
    const parsed = parseRelease(jws(PAGED, { ...HEADER, crit: ["exp"] }));
    expect(parsed.ok ? "OK" : parsed.failure.message).match(/header must say/);
  });
});

describe("a release, where a trust root is held", () => {
  it("is verified with a key that the root names for releases, by its point", () => {
    expect(new Device().offered(once()).keys).deep.equal([point(4)]);
    expect(new Device().pushed(once({}, SECOND)).keys).deep.equal([point(5)]);
    expect(new Device().offered(once({}, ROOT_KEY)).code).equal("KEY_UNKNOWN");
    expect(new Device().offered(once({}, "key-1")).code).equal("KEY_UNKNOWN");
  });

  it("signed by two needs one of them to be right, where one is enough", () => {
    const device = new Device().offered(twice([FIRST, SECOND]));
    expect(device.keys).deep.equal([point(4)]);
    expect(device.verified(false).keys).deep.equal([point(5)]);
    expect(device.verified().state.phase).equal("requesting");
    expect(new Device().offered(twice([FIRST, SECOND])).verified().state.phase).equal("requesting");
    expect(new Device().offered(twice([ROOT_KEY, SECOND])).keys).deep.equal([point(5)]);
    expect(
      new Device()
        .offered(twice([FIRST, SECOND]))
        .verified(false)
        .verified(false).code,
    ).equal("SIGNATURE_INVALID");
  });

  it("needs both, where two are asked for, from the server and as a push", () => {
    for (const begin of ["offered", "pushed"] as const) {
      const device = new Device(TWO)[begin](twice([FIRST, SECOND]));
      expect(device.verified().state.phase, begin).equal("verifying");
      expect(device.keys).deep.equal([point(5)]);
      expect(device.verified().state.phase).not.oneOf(["verifying", "idle"]);
      expect(new Device(TWO)[begin](twice([FIRST, SECOND])).verified(false).state.phase).equal("idle");
      expect(
        new Device(TWO)
          [begin](twice([FIRST, SECOND]))
          .verified()
          .verified(false).state.phase,
      ).equal("idle");
    }
  });

  it("by one key, or by one key twice, is refused where two are asked for", () => {
    for (const text of [once(), twice([FIRST]), twice([FIRST, FIRST]), twice([FIRST, ROOT_KEY])]) {
      const device = new Device(TWO).offered(text);
      expect(device.code).equal("SIGNATURE_MISSING");
      expect(device.keys).deep.equal([]);
    }
  });

  it("is refused while the root has expired, and when it needs a newer root", () => {
    const code = (root: object, changes: object = {}) =>
      new Device(root).offered(once(changes)).verified().code;
    expect(code({ ...ROOT, expires: TIME - 1 })).equal("ROOT_EXPIRED");
    expect(code({ ...ROOT, expires: TIME })).equal(undefined);
    expect(code(ROOT, { minRoot: 2 })).equal("ROOT_TOO_OLD");
    expect(code({ ...ROOT, version: 2 }, { minRoot: 2 })).equal(undefined);
  });

  it("is refused below the root's least security version", () => {
    const code = (changes: object) =>
      new Device({ ...ROOT, minSecurityVersion: 2 }).offered(once(changes)).verified().code;
    expect(code({ securityVersion: 1 })).equal("SECURITY_VERSION_TOO_OLD");
    expect(code({ securityVersion: 2 })).equal(undefined);
  });

  it("is refused below the sequence that has run, unless the root lets the type count anew", () => {
    const code = (stored: string, changes: object, root: object = ROOT) =>
      new Device(root, { stored: { "trust.sequence": stored } }).offered(once(changes)).verified().code;
    expect(code("100 0 base", { sequence: 99 })).equal("SEQUENCE_TOO_OLD");
    expect(code("100 0 base", {})).equal("SEQUENCE_TOO_OLD");
    expect(code("100 0 base", { sequence: 100 })).equal(undefined);
    expect(code("100 0 led", { sequence: 1 })).equal(undefined);
    const anew: Partial<Root> | object = { ...ROOT, fastForward: { base: 50 } };
    expect(code("4294967295 0 base", { sequence: 50 }, anew)).equal(undefined);
    expect(code("4294967295 0 base", { sequence: 49 }, anew)).equal("SEQUENCE_TOO_OLD");
    // by that root it has been installed already
    expect(code("60 50 base", { sequence: 55 }, anew)).equal("SEQUENCE_TOO_OLD");
  });

  it("may have an older version than a thief's 999, where versions count anew, and only there", () => {
    const stolen = { image: { ...BOOTED.image, version: "999.0.0" } };
    const anew = { ...ROOT, fastForward: { base: 50 } };
    const code = (root: object, stored: object = {}, changes: object = { sequence: 50 }) =>
      new Device(root, { ...stolen, ...stored }).offered(once(changes)).verified().code;
    expect(code(ROOT)).equal("NOT_NEWER");
    expect(code(anew)).equal(undefined);
    expect(code({ ...ROOT, fastForward: { led: 50 } })).equal("NOT_NEWER");
    expect(code(anew, { stored: { "trust.sequence": "50 50 base" } })).equal("NOT_NEWER");
    // the image that runs is not installed once more
    expect(code(anew, {}, { sequence: 50, imageSha256: BOOTED.image.imageSha256 })).equal("NOT_NEWER");
  });
});
