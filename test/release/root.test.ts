// Trust roots in files, with real signatures: who may sign, what may follow what, and what a device says of the same text.

import { expect } from "chai";
import { base64url } from "jose";
import { checkSuccessor, parseRoot } from "../../firmware/core/trust/root.js";
import { MAX_ROOT_LENGTH } from "../../firmware/core/wire.js";
import { KeyError, ReleaseError } from "../../release/error.js";
import { keyIdOf, readRoot, signRoot, verifyRoot } from "../../release/root.js";
import { draftRoot, findKey, nextRoot } from "../../release/root-draft.js";
import { describeMissing, describeRoot } from "../../release/root-report.js";
import { EXPIRES, firstRoot, keysOfHolder, planOfThree, pointOf, signedBy } from "./root-holders.js";

async function refusal(work: Promise<unknown>): Promise<string> {
  try {
    await work;
    return "nothing";
  } catch (error) {
    if (!(error instanceof KeyError) && !(error instanceof ReleaseError)) throw error;
    return error.message;
  }
}

describe("the first trust root", () => {
  it("is a draft until its threshold has signed, in any order", async () => {
    const draft = await draftRoot(await planOfThree());
    expect(draft.signatures).deep.equal([]);
    expect(await refusal(verifyRoot(draft.text))).match(/signed by 0 of its own keys, it asks for 2/);
    const one = await signedBy(draft, ["cleo"]);
    expect(await refusal(verifyRoot(one.text))).match(/signed by 1 of its own keys, it asks for 2/);
    const two = await signedBy(one, ["ann"]);
    expect((await verifyRoot(` ${two.text}\n`)).text).equal(two.text);
    expect(parseRoot(two.text).ok).equal(true);
  });

  it("counts a holder once, however often they sign", async () => {
    const draft = await draftRoot(await planOfThree());
    const twice = await signedBy(draft, ["ann", "ann", "ann"]);
    expect(twice.signatures).length(1);
    const [member] = JSON.parse(twice.text).signatures;
    const copied = JSON.stringify({ payload: twice.payload, signatures: [member, member] });
    expect(await refusal(verifyRoot(copied))).match(/signed by 1 of its own keys/);
  });

  it("is signed by its root keys only", async () => {
    const draft = await draftRoot(await planOfThree());
    for (const stranger of ["dora", "release", "online"] as const)
      expect(await refusal(signedBy(draft, [stranger])), stranger).match(
        /may not sign root 1: it is no root key of it$/,
      );
  });

  it("says who has signed, and what is missing", async () => {
    const one = await signedBy(await draftRoot(await planOfThree()), ["ben"]);
    const report = await describeRoot(one);
    expect(report).include({
      version: 1,
      threshold: 2,
      missing: 1,
      missing_of_previous: 0,
      unknown_signatures: 0,
    });
    expect(report.expires_at).equal("2030-03-17T17:46:40.000Z");
    const ben = await keyIdOf(await pointOf("ben"));
    expect(report.keys.filter(({ has_signed }) => has_signed).map(({ kid }) => kid)).deep.equal([ben]);
    expect(report.keys.map(({ roles }) => roles.join())).deep.equal([
      "root",
      "root",
      "root",
      "release",
      "freshness",
    ]);
    expect(describeMissing(report)).equal("1 signature by its own root keys");
    expect(describeMissing(await describeRoot(await signedBy(one, ["ann"])))).equal("");
  });

  it("has one place for a key with two roles, and its size is known before anybody signs", async () => {
    const both = await draftRoot(
      await planOfThree({ release: [await pointOf("ann"), await pointOf("release")] }),
    );
    expect(both.root.keys).length(5);
    expect(both.root.release).deep.equal([0, 3]);
    const everybody = (["ann", "ben", "cleo", "dora", "release", "release2", "online"] as const).map(pointOf);
    const tooMany = await planOfThree({ release: await Promise.all(everybody) });
    expect(await refusal(draftRoot(tooMany))).match(
      /^with 7 keys and 2 signatures the root has \d+ characters, devices read 1536/,
    );
    const most = await firstRoot({ release: [await pointOf("release"), await pointOf("release2")] });
    expect(most.root.keys).length(6);
    expect(most.text.length).within(1300, MAX_ROOT_LENGTH);
  });

  it("is refused when it makes no sense, and when a key is no point of the curve", async () => {
    const wrong = async (changes: Parameters<typeof planOfThree>[0]) =>
      refusal(draftRoot(await planOfThree(changes)));
    expect(await wrong({ threshold: 4 })).match(/threshold is not a number of 1 to 3/);
    expect(await wrong({ threshold: 0 })).match(/threshold is not a number of 1 to 3/);
    expect(await wrong({ releaseThreshold: 2 })).match(/releaseThreshold is not a number of 1 to 1/);
    expect(await wrong({ release: [] })).match(/releaseThreshold is not a number/);
    expect(await wrong({ release: [{ ...(await pointOf("release")), y: "A".repeat(43) }] })).match(
      /is no point of P-256/,
    );
  });

  it("is refused when any of its signatures is wrong, though the others suffice", async () => {
    const { text, payload } = await signedBy(await draftRoot(await planOfThree()), ["ann", "ben", "cleo"]);
    const { signatures } = JSON.parse(text);
    const spoilt = signatures.with(2, { ...signatures[2], signature: signatures[0].signature });
    expect(await refusal(verifyRoot(JSON.stringify({ payload, signatures: spoilt })))).match(
      /one of its signatures is wrong/,
    );
  });

  it("is refused with another payload under the same signatures", async () => {
    const { text, payload } = await firstRoot();
    const fields = JSON.parse(Buffer.from(payload, "base64url").toString());
    const other = base64url.encode(JSON.stringify({ ...fields, threshold: 1 }));
    expect(await refusal(verifyRoot(text.replace(payload, other)))).match(/one of its signatures is wrong/);
  });
});

describe("the next trust root", () => {
  it("takes the thresholds of the root before and its own, and a signature may count for both", async () => {
    const held = (await firstRoot()).root;
    const cleo = await keyIdOf(await pointOf("cleo"));
    const draft = await nextRoot(held, {
      expires: EXPIRES,
      remove: [["root", cleo]],
      add: [["root", await pointOf("dora")]],
    });
    const byOne = await signedBy(draft, ["ann"], held);
    expect(describeMissing(await describeRoot(byOne, held))).equal(
      "1 signature by its own root keys, and 1 signature by root keys of root 1",
    );
    const byNew = await signedBy(byOne, ["dora"], held);
    expect(await refusal(verifyRoot(byNew.text, held))).match(/by 1 keys of version 1, which asks for 2/);
    const byOld = await signedBy(byOne, ["cleo"], held);
    expect(await refusal(verifyRoot(byOld.text, held))).match(/by 1 of its own, of which it asks for 2/);
    for (const signers of [["ben"], ["dora", "cleo"]] as const) {
      const whole = await signedBy(byOne, signers, held);
      const { root } = await verifyRoot(whole.text, held);
      expect(root.version).equal(2);
      const asDevice = parseRoot(whole.text);
      expect(asDevice.ok && checkSuccessor(held, asDevice.value).ok).equal(true);
    }
    const report = await describeRoot(await signedBy(byOne, ["cleo"], held), held);
    expect(report.signed_by_others).deep.equal([cleo]);
  });

  it("can be signed by a removed key only while the root before is known", async () => {
    const held = (await firstRoot()).root;
    const draft = await nextRoot(held, {
      expires: EXPIRES,
      remove: [["root", await keyIdOf(await pointOf("cleo"))]],
    });
    expect(await refusal(signedBy(draft, ["cleo"]))).match(/and the root before is not given$/);
    const signed = await signedBy(draft, ["cleo"], held);
    expect((await describeRoot(signed)).missing_of_previous).equal(null);
    expect(describeMissing(await describeRoot(signed))).match(/perhaps some by keys of root 1/);
  });

  it("survives the loss of all but a threshold of keys, and no fewer than a threshold can make one", async () => {
    const first = await firstRoot();
    // cleo's key is lost: ann and ben put dora's in its place
    const second = await signedBy(
      await nextRoot(first.root, {
        expires: EXPIRES,
        remove: [["root", await keyIdOf(await pointOf("cleo"))]],
        add: [["root", await pointOf("dora")]],
      }),
      ["ann", "ben"],
    );
    await verifyRoot(second.text, first.root);
    // one stolen key names its thief alone: nobody takes that
    const theft = await draftRoot(
      {
        ...(await planOfThree()),
        version: 2,
        threshold: 1,
        root: [await pointOf("ann")],
        release: [await pointOf("dora")],
      },
      first.root,
    );
    expect(await refusal(verifyRoot((await signedBy(theft, ["ann"])).text, first.root))).match(
      /by 1 keys of version 1, which asks for 2/,
    );
  });

  it("follows the version before it and no other, and its least security version does not fall", async () => {
    const first = await firstRoot({ minSecurityVersion: 3 });
    const second = await signedBy(await nextRoot(first.root, { expires: EXPIRES }), ["ann", "ben"]);
    const third = await signedBy(await nextRoot(second.root, { expires: EXPIRES }), ["ann", "cleo"]);
    await verifyRoot(second.text, first.root);
    await verifyRoot(third.text, second.root);
    expect(await refusal(verifyRoot(third.text, first.root))).match(
      /it is version 3, after version 1 comes 2/,
    );
    expect(await refusal(verifyRoot(first.text, first.root))).match(
      /it is version 1, after version 1 comes 2/,
    );
    expect(await refusal(nextRoot(first.root, { expires: EXPIRES, minSecurityVersion: 2 }))).match(
      /is 3, and never falls/,
    );
    const lower = await signedBy(
      await draftRoot({ ...(await planOfThree()), version: 2, minSecurityVersion: 2 }, first.root),
      ["ann", "ben"],
    );
    expect(await refusal(verifyRoot(lower.text, first.root))).match(/its least security version is 2/);
  });

  it("keeps what is not changed, and replaces what is", async () => {
    const first = await firstRoot({
      fastForward: [
        { type: "led", sequence: 5 },
        { type: "cms", sequence: 6 },
      ],
    });
    const { root } = await nextRoot(first.root, {
      expires: EXPIRES + 1,
      add: [["release", await pointOf("release2")]],
      releaseThreshold: 2,
      fastForward: [{ type: "led", sequence: 9 }],
    });
    expect(root).deep.include({ version: 2, expires: EXPIRES + 1, releaseThreshold: 2, threshold: 2 });
    expect(root.fastForward).deep.equal([
      { type: "cms", sequence: 6 },
      { type: "led", sequence: 9 },
    ]);
    expect(await refusal(nextRoot(first.root, { expires: 1, add: [["root", await pointOf("ann")]] }))).match(
      /is a root key already/,
    );
  });

  it("names a key by its id or a beginning of it that is long enough and of no other", async () => {
    const point = await pointOf("release");
    const kid = await keyIdOf(point);
    const all = [point, await pointOf("ann")];
    expect(await findKey(all, kid.slice(0, 8), "key")).deep.equal(point);
    expect(await refusal(findKey(all, kid.slice(0, 5), "key"))).match(/too short/);
    expect(await refusal(findKey([point, { ...point }], kid, "key"))).match(/beginning of several keys/);
    expect(await refusal(findKey(all, "A".repeat(43), "release key of root 1"))).match(
      /is no release key of root 1$/,
    );
  });

  it("holds as many signatures as devices read, and no more characters", async () => {
    const held = (await firstRoot({ release: [await pointOf("release"), await pointOf("release2")] })).root;
    const draft = await nextRoot(held, { expires: EXPIRES });
    const two = await signedBy(draft, ["ann", "ben"], held);
    expect(await refusal(signedBy(two, ["cleo"], held))).match(
      /^with this signature the root has \d+ characters, devices read 1536/,
    );
    expect((await signRoot(two, (await keysOfHolder("ben")).privateKey)).signatures).length(2);
    expect(readRoot(two.text).text.length).most(MAX_ROOT_LENGTH);
  });
});
