import { expect } from "chai";
import type { Release } from "../../firmware/core/update/release.js";
import { ReleaseError } from "../../release/error.js";
import { makeReleaseKeys } from "../../release/keys.js";
import { readRelease, verifyReleaseSignature } from "../../release/signing.js";
import {
  addSystemSignature,
  describeSystem,
  newestSystemFirst,
  readSystem,
  signSystem,
} from "../../release/system.js";
import { makeRelease, releaseKeys } from "../server/test-server.js";

const CREATED = 1_790_000_000;

async function releaseOf(type: string, version = "1.2.0", protocolVersion = 1): Promise<Release> {
  return readRelease((await makeRelease(version, { type, protocolVersion })).release).release;
}
function codeOf(work: () => unknown): string {
  try {
    work();
    return "nothing thrown";
  } catch (error) {
    return error instanceof ReleaseError ? `${error.code}: ${error.message}` : String(error);
  }
}

describe("a system", () => {
  it("of format 2 is signed by a second holder who means the same releases, and has no place for a third", async () => {
    const releases = await Promise.all([releaseOf("receiver"), releaseOf("transmitter")]);
    const members = releases.map((release) => ({ release }));
    const options = { name: "doorbell", created: CREATED };
    const keys = await Promise.all([releaseKeys(), makeReleaseKeys(), makeReleaseKeys()]);
    const [ann, ben, cleo] = keys as [(typeof keys)[0], (typeof keys)[0], (typeof keys)[0]];
    const trusted = [ann.publicKey, ben.publicKey];
    const once = await signSystem(describeSystem(members, { ...options, format: 2 }), ann.privateKey);
    const failed = (work: Promise<unknown>) =>
      work.then(
        () => "nothing",
        (error: Error) => error.message,
      );
    expect(await failed(verifyReleaseSignature(readSystem(once), trusted, 2))).to.match(/signed by 1 of/);
    const again = await addSystemSignature(once, members, ann.privateKey);
    expect(await failed(verifyReleaseSignature(readSystem(again), trusted, 2))).to.match(/signed by 1 of/);
    const twice = await addSystemSignature(once, members, ben.privateKey);
    await verifyReleaseSignature(readSystem(twice), trusted, 2);
    expect(await failed(addSystemSignature(twice, members, cleo.privateKey))).to.contain(
      "is signed by 2 other keys already",
    );
    const other = [{ release: await releaseOf("receiver", "1.2.1") }, ...members.slice(1)];
    expect(await failed(addSystemSignature(once, other, ben.privateKey))).to.equal(
      "doorbell 1.2.0 is receiver 1.2.0, transmitter 1.2.0, given are receiver 1.2.1, transmitter 1.2.0: receiver differs",
    );
    expect(await failed(addSystemSignature(once, members.slice(1), ben.privateKey))).to.contain("differs");
    expect(await failed(addSystemSignature(once, [...members, ...other], ben.privateKey))).to.contain(
      "given are",
    );
    const compact = await signSystem(describeSystem(members, options), ann.privateKey);
    expect(await failed(addSystemSignature(compact, members, ben.privateKey))).to.contain("--format 2");
  });

  it("names the releases of its devices, in the order in which they are updated", async () => {
    const [receiver, transmitter] = await Promise.all([releaseOf("receiver"), releaseOf("transmitter")]);
    const payload = describeSystem([{ release: receiver }, { name: "sensor", release: transmitter }], {
      name: "doorbell",
      created: CREATED,
    });
    expect(payload).to.deep.equal({
      format: 1,
      name: "doorbell",
      version: "1.2.0",
      components: [
        {
          name: "receiver",
          type: "receiver",
          hardware: "esp32",
          version: "1.2.0",
          build: 0,
          sha256: receiver.sha256,
        },
        {
          name: "sensor",
          type: "transmitter",
          hardware: "esp32",
          version: "1.2.0",
          build: 0,
          sha256: transmitter.sha256,
        },
      ],
      rebootDelaySeconds: 5,
      healthTimeoutSeconds: 30,
      created: CREATED,
    });
    const { privateKey, publicKey } = await releaseKeys();
    const read = readSystem(await signSystem(payload, privateKey));
    expect(read.system).to.deep.include(payload);
    await verifyReleaseSignature(read, [publicKey]);
    const other = await makeReleaseKeys();
    const error = await verifyReleaseSignature(read, [other.publicKey]).catch((thrown: Error) => thrown);
    expect(error).to.include({ code: "KEY_UNKNOWN" });
  });

  it("is not signed with the private part of another key", async () => {
    const payload = describeSystem([{ release: await releaseOf("receiver") }], {
      name: "x",
      created: CREATED,
    });
    const [one, two] = await Promise.all([makeReleaseKeys(), makeReleaseKeys()]);
    const mixed = { ...one.privateKey, d: two.privateKey.d as string };
    const error = await signSystem(payload, mixed).catch((thrown: Error) => thrown);
    expect(error).to.have.property("name", "KeyError");
  });

  it("needs a version of its own where its releases have several", async () => {
    const members = [
      { release: await releaseOf("receiver", "1.2.0") },
      { release: await releaseOf("transmitter", "1.3.0") },
    ];
    const options = { name: "doorbell", created: CREATED };
    expect(codeOf(() => describeSystem(members, options))).to.equal(
      "SYSTEM_MALFORMED: the version of the system is missing, and its releases have 1.2.0, 1.3.0",
    );
    expect(describeSystem(members, { ...options, version: "2.0.0" })).to.include({ version: "2.0.0" });
  });

  it("has no releases that could not talk to each other", async () => {
    const members = [
      { release: await releaseOf("receiver", "1.2.0", 1) },
      { release: await releaseOf("transmitter", "1.2.0", 2) },
    ];
    expect(codeOf(() => describeSystem(members, { name: "doorbell", created: CREATED }))).to.equal(
      "SYSTEM_INCOMPATIBLE: receiver 1.2.0 speaks protocol 1, transmitter 1.2.0 speaks 2",
    );
  });

  it("is signed only if a device would read it", async () => {
    const { privateKey } = await releaseKeys();
    const release = await releaseOf("receiver");
    const payload = describeSystem([{ release }, { release }], { name: "doorbell", created: CREATED });
    const error = await signSystem(payload, privateKey).catch((thrown: Error) => thrown);
    expect(error).to.include({
      code: "SYSTEM_MALFORMED",
      message: "system manifest: component 2: there is another receiver",
    });
  });

  it("comes before older ones in the order of their versions, then of their signing", async () => {
    const { privateKey } = await releaseKeys();
    const release = await releaseOf("receiver");
    const systemOf = async (version: string, created: number) =>
      readSystem(await signSystem(describeSystem([{ release }], { name: "x", version, created }), privateKey))
        .system;
    const systems = [await systemOf("1.9.0", 9), await systemOf("1.10.0", 1), await systemOf("1.10.0", 2)];
    expect(systems.sort(newestSystemFirst).map(({ version, created }) => [version, created])).to.deep.equal([
      ["1.10.0", 2],
      ["1.10.0", 1],
      ["1.9.0", 9],
    ]);
  });

  it("refuses a release that is older than another one works with", async () => {
    const demanding = { ...(await releaseOf("receiver", "2.0.0")), minCompatible: "1.5.0" };
    const options = { name: "doorbell", version: "2.0.0", created: CREATED };
    const systemWith = async (version: string) =>
      describeSystem([{ release: demanding }, { release: await releaseOf("transmitter", version) }], options);
    const refused = await systemWith("1.4.9").catch((error) => error);
    expect(refused).to.include({ code: "SYSTEM_INCOMPATIBLE" });
    expect(refused.message).to.equal("receiver 2.0.0 works with 1.5.0 or newer, transmitter is 1.4.9");
    expect((await systemWith("1.5.0")).components).to.have.length(2);
  });

  it("takes a release that asks for more than its own version: it is about the others", async () => {
    const demanding = { ...(await releaseOf("receiver", "1.0.0")), minCompatible: "1.5.0" };
    const others = { release: await releaseOf("transmitter", "1.5.0") };
    const options = { name: "doorbell", version: "2.0.0", created: CREATED };
    expect(describeSystem([{ release: demanding }, others], options).components).to.have.length(2);
  });
});
