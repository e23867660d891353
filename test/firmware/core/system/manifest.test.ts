import { expect } from "chai";
import { parseSystem, type SignedSystem } from "../../../../firmware/core/system/manifest.js";
import { MAX_SYSTEM_LENGTH } from "../../../../firmware/core/wire.js";
import { generalJws, HEADER, jws } from "../releases.js";

const RECEIVER = {
  name: "receiver",
  type: "receiver",
  hardware: "esp32",
  version: "1.2.0",
  build: 7,
  sha256: "a".repeat(64),
};
const PAYLOAD = {
  format: 1,
  name: "doorbell",
  version: "1.2.0",
  components: [RECEIVER, { ...RECEIVER, name: "transmitter", type: "transmitter", sha256: "b".repeat(64) }],
  rebootDelaySeconds: 5,
  healthTimeoutSeconds: 30,
  created: 1_790_000_000,
};
const SYSTEM_HEADER = { ...HEADER, typ: "skyslot-system" };
const text = (changes: object = {}) => jws({ ...PAYLOAD, ...changes }, SYSTEM_HEADER);

function parsed(changes: object = {}): SignedSystem {
  const result = parseSystem(text(changes));
  if (!result.ok) throw new Error(result.failure.message);
  return result.value;
}
function refused(source: string): string {
  const result = parseSystem(source);
  return result.ok ? "read" : `${result.failure.code} ${result.failure.message}`;
}

describe("system manifest", () => {
  it("is read with its components in their order, and with what its signature is over", () => {
    const { system, signatures } = parsed();
    const [{ keyId, signedLength, signature } = {}] = signatures;
    expect(system).to.deep.equal({
      ...PAYLOAD,
      parsedVersion: { major: "1", minor: "2", patch: "0", preRelease: [], build: 0 },
    });
    expect(keyId).to.equal("key-1");
    expect(text().slice(0, signedLength)).to.equal(text().split(".").slice(0, 2).join("."));
    expect(signature).to.deep.equal(new Uint8Array(64).fill(9));
  });

  it("is read with what it may say besides, and without fields that nobody knows", () => {
    const more = { minCompatibleVersion: "1.0.0", description: "Rings twice", expires: 1_900_000_000 };
    expect(parsed({ ...more, other: [1] }).system)
      .to.include(more)
      .and.not.to.have.property("other");
  });

  it("has one or two signatures in its general form, which is format 2", () => {
    const general = (changes: object, ...keyIds: string[]) =>
      generalJws({ ...PAYLOAD, format: 2, ...changes }, keyIds, { typ: "skyslot-system" });
    const read = parseSystem(general({}, "key-1", "key-2"));
    expect(read.ok && read.value.signatures.map(({ keyId }) => keyId)).to.deep.equal(["key-1", "key-2"]);
    expect(read.ok && read.value.system).to.include({ format: 2, name: "doorbell" });
    expect(refused(general({}, "key-1"))).to.equal("read");
    expect(refused(general({}, "key-1", "key-2", "key-3"))).to.contain("3 signatures, 1 to 2 are read");
    expect(refused(general({ format: 1 }, "key-1"))).to.contain("format 1 is not of this form");
    expect(refused(text({ format: 2 }))).to.contain("format 2 is not of this form");
    expect(refused(generalJws({ ...PAYLOAD, format: 2 }, ["key-1"]))).to.contain("typ skyslot-system");
  });

  it("is not taken for a release, nor a release for it", () => {
    expect(refused(jws(PAYLOAD))).to.match(/SYSTEM_MALFORMED.*typ skyslot-system/);
    expect(refused(jws(PAYLOAD, { ...SYSTEM_HEADER, alg: "none" }))).to.contain("alg ES256");
    expect(refused(`${text()}.x`)).to.contain("three parts");
  });

  for (const [words, changes] of Object.entries({
    "format 3 is not known": { format: 3 },
    "name is missing": { name: "door bell" },
    "name is missing or": { name: ".." },
    "version is not": { version: "1.2" },
    "version is not a semantic version without a build": { version: "1.2.0+7" },
    "minCompatibleVersion is not": { minCompatibleVersion: 1 },
    rebootDelaySeconds: { rebootDelaySeconds: -1 },
    "healthTimeoutSeconds is not": { healthTimeoutSeconds: 0 },
    "up to 3600": { healthTimeoutSeconds: 3601 },
    "created or expires": { expires: "never" },
    "description is not": { description: "x".repeat(201) },
    "components is not a list of 1 to 8": { components: [] },
    "of 1 to 8": { components: Array.from({ length: 9 }, (_, at) => ({ ...RECEIVER, name: `c${at}` })) },
    "components is not": { components: { 0: RECEIVER } },
    "component 2: there is another receiver": { components: [RECEIVER, RECEIVER] },
    "component 1: it is not an object": { components: ["receiver"] },
    "component 1: type": { components: [{ ...RECEIVER, type: "" }] },
    "component 1: hardware": { components: [{ ...RECEIVER, hardware: 32 }] },
    "component 1: version": { components: [{ ...RECEIVER, version: "next" }] },
    "component 1: build": { components: [{ ...RECEIVER, build: 1.5 }] },
    "component 1: sha256": { components: [{ ...RECEIVER, sha256: "A".repeat(64) }] },
  }))
    it(`is refused with words for a person: ${words} (${JSON.stringify(changes).slice(0, 40)})`, () => {
      expect(refused(text(changes)))
        .to.match(/^SYSTEM_MALFORMED/)
        .and.contain(words);
    });

  it("fits with eight components of long names, and is not read when it is longer than a device can hold", () => {
    const component = (name: string) => ({ ...RECEIVER, name, type: name, hardware: "esp32-devkit" });
    const eight = { components: Array.from({ length: 8 }, (_, at) => component(`component-${at}`)) };
    expect(text({ ...eight, description: "x".repeat(200) }).length).to.be.lessThan(MAX_SYSTEM_LENGTH);
    expect(refused(text(eight))).to.equal("read");
    expect(refused(text({ other: "x".repeat(MAX_SYSTEM_LENGTH) }))).to.match(/^SYSTEM_TOO_LARGE/);
  });
});
