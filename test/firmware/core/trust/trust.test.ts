import { expect } from "chai";
import type { Root } from "../../../../firmware/core/event.js";
import {
  fastForwardOf,
  installedWith,
  NOTHING_INSTALLED,
  readInstalled,
  readPlace,
  sequenceRule,
  storeInstalled,
} from "../../../../firmware/core/trust/sequence.js";
import { thumbprint } from "../../../../firmware/core/trust/thumbprint.js";
import {
  checkRoot,
  releaseKey,
  releaseKeyIds,
  releaseThreshold,
  trustAtBoot,
} from "../../../../firmware/core/trust/trust.js";
import { KEY } from "../events.js";
import { point, ROOT, rootText } from "../roots.js";

const text = (version: number) => rootText({ ...ROOT, version });
const atBoot = (root?: string, stored: Record<string, string> = {}) =>
  trustAtBoot({ keys: [KEY], root }, stored);
const versionOf = (root?: string, stored?: Record<string, string>) =>
  atBoot(root, stored).trust.root?.version;

describe("trust", () => {
  it("is in the keys of an image that has no root, whatever is stored", () => {
    const { trust } = atBoot(undefined, { "trust.root": text(5) });
    expect(trust.root).equal(undefined);
    expect(releaseKey(trust, "key-1")).equal(KEY);
    expect(releaseKey(trust, "key-2")).equal(undefined);
    expect(releaseKeyIds(trust)).deep.equal(["key-1"]);
    expect(releaseThreshold(trust)).equal(1);
    expect(atBoot("").trust.root).equal(undefined);
  });

  it("is in the image's root or the stored one, whichever is newer", () => {
    expect(versionOf(text(2))).equal(2);
    expect(versionOf(text(2), { "trust.root": text(1) })).equal(2);
    expect(versionOf(text(2), { "trust.root": text(3) })).equal(3);
    const stored = rootText({ ...ROOT, version: 2, expires: 7 });
    expect(atBoot(text(2), { "trust.root": stored }).trust.root?.expires).equal(7);
  });

  it("is no longer in the image's keys once there is a root", () => {
    const { trust } = atBoot(text(1));
    expect(releaseKey(trust, "key-1")).equal(undefined);
    expect(releaseKey(trust, thumbprint(point(4)))).deep.equal(point(4));
    expect(releaseKey(trust, thumbprint(point(1)))).equal(undefined);
    expect(releaseKeyIds(trust)).deep.equal([4, 5].map((number) => thumbprint(point(number))));
  });

  it("does not rely on a stored root that cannot be read, and says so", () => {
    const { trust, problem } = atBoot(text(1), { "trust.root": "{" });
    expect(trust.root?.version).equal(1);
    expect(problem?.code).equal("ROOT_REFUSED");
    const broken = atBoot("{");
    expect(broken.trust.keys).deep.equal([KEY]);
    expect(broken.problem?.code).equal("ROOT_REFUSED");
    expect(atBoot(text(1)).problem).equal(undefined);
  });

  it("is in force until its root expires, and for releases that do not need a newer one", () => {
    const { trust } = atBoot(text(3));
    const code = (minRoot: number | undefined, time: number, of = trust) => {
      const checked = checkRoot(of, minRoot === undefined ? {} : { minRoot }, time);
      return checked.ok ? "OK" : checked.failure.code;
    };
    expect(code(undefined, ROOT.expires)).equal("OK");
    expect(code(undefined, ROOT.expires + 1)).equal("ROOT_EXPIRED");
    expect(code(3, 0)).equal("OK");
    expect(code(4, 0)).equal("ROOT_TOO_OLD");
    expect(code(undefined, 0xffffffff, atBoot().trust)).equal("OK");
    expect(code(1, 0, atBoot().trust)).equal("ROOT_TOO_OLD");
  });
});

describe("the sequence of releases", () => {
  const root: Root = { ...ROOT, fastForward: [{ type: "base", sequence: 50 }] };

  it("is kept with the type of the device that it is of", () => {
    const installed = { sequence: 4_294_967_295, fastForward: 50 };
    const effect = storeInstalled(installed, "base");
    expect(effect).include({ key: "trust.sequence", value: "4294967295 50 base" });
    expect(readInstalled("4294967295 50 base", "base")).deep.equal(installed);
    for (const stored of [
      undefined,
      "",
      "1",
      "1 2",
      "1 2 led",
      "x 2 base",
      "-1 2 base",
      "12345678901 2 base",
    ])
      expect(readInstalled(stored, "base"), stored).equal(NOTHING_INSTALLED);
  });

  it("is in a record, unless there is none", () => {
    expect(installedWith(undefined, "base")).equal(undefined);
    expect(installedWith(root, "led")).equal(undefined);
    expect(installedWith(undefined, "base", 9)).deep.equal({ sequence: 9, fastForward: 0 });
    expect(installedWith(root, "base", 60)).deep.equal({ sequence: 60, fastForward: 50 });
    expect(
      readPlace(
        new Map([
          ["sequence", 60],
          ["fastForward", 50],
        ]),
      ),
    ).deep.equal({ sequence: 60, fastForward: 50 });
    expect(readPlace(new Map([["sequence", 60]]))).equal(undefined);
    expect(readPlace(undefined)).equal(undefined);
  });

  it("counts anew from where a newer root says, and not twice", () => {
    expect(fastForwardOf(root, "base")).equal(50);
    expect(fastForwardOf(root, "led")).equal(0);
    const rule = (fastForward: number, sequence = 999) =>
      sequenceRule(root, "base", { sequence, fastForward });
    expect(rule(0)).deep.equal({ least: 50, isAnew: true });
    expect(rule(49)).deep.equal({ least: 50, isAnew: true });
    expect(rule(50)).deep.equal({ least: 999, isAnew: false });
    expect(rule(51)).deep.equal({ least: 999, isAnew: false });
    expect(sequenceRule(undefined, "base", { sequence: 7, fastForward: 0 })).deep.equal({
      least: 7,
      isAnew: false,
    });
  });
});
