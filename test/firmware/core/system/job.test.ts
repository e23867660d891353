import { expect } from "chai";
import {
  begin,
  type Job,
  MAX_ID_LENGTH,
  MAX_JOB_LENGTH,
  MAX_MEMBER_COUNT,
  readJob,
  writeJob,
} from "../../../../firmware/core/system/job.js";
import type { SystemJob } from "../../../../firmware/core/system/vocabulary.js";

const A = "a".repeat(64);
const B = "b".repeat(64);

const OFFER: SystemJob = {
  version: "2.0.0",
  rule: "all",
  components: [
    { id: "receiver", image: A, step: 0 },
    { id: "24:0a:c4:00:00:02", image: B, step: 1 },
    { id: "24:0a:c4:00:00:03", image: B, step: 1 },
  ],
  rebootDelaySeconds: 2,
  healthTimeoutSeconds: 30,
  stageTimeoutSeconds: 3_600,
};

const JOB = begin(OFFER) as Job;

/** Another firmware has to read it, so that this text never changes its meaning. */
const TEXT = `{"format":1,"version":"2.0.0","rule":"all","rebootDelaySeconds":2,"healthTimeoutSeconds":30,"stageTimeoutSeconds":3600,"phase":"committing","step":1,"reason":"","images":["${A}","${B}"],"members":[["receiver",0,0,1],["24:0a:c4:00:00:02",1,1,2],["24:0a:c4:00:00:03",1,1,0]]}`;

const TOLD: Job = {
  ...JOB,
  phase: "committing",
  step: 1,
  members: [{ ...JOB.members[0]!, had: true }, { ...JOB.members[1]!, isLeft: true }, JOB.members[2]!],
};

const of = (count: number, change: Partial<SystemJob["components"][number]> = {}): SystemJob => ({
  ...OFFER,
  components: Array.from({ length: count }, (_, i) => ({ id: `node-${i}`, image: A, step: 0, ...change })),
});

describe("the job of a system", () => {
  it("has this text, and is read from it", () => {
    expect(writeJob(TOLD)).equal(TEXT);
    expect(readJob(TEXT)).deep.equal(TOLD);
  });

  it("is read from the text of a later firmware, which has more fields", () => {
    expect(readJob(TEXT.replace('"step":1', '"step":1,"colour":"red"'))).deep.equal(TOLD);
    expect(readJob(TEXT.replace("0,0,1]", '0,0,1,"more"]'))).deep.equal(TOLD);
    expect(readJob(TEXT.replace("1,1,0]", "1,1,4]")), "an unknown flag").deep.equal(TOLD);
  });

  it("is not read from anything else", () => {
    const changes: readonly (readonly [string | RegExp, string])[] = [
      ['"format":1', '"format":2'],
      ['"rule":"all"', '"rule":"most"'],
      ['"phase":"committing"', '"phase":"done"'],
      ['"step":1', '"step":8'],
      ['"step":1', '"step":0.5'],
      ['"version":"2.0.0"', '"version":2'],
      ['"reason":""', '"reason":null'],
      ['"healthTimeoutSeconds":30', '"healthTimeoutSeconds":-1'],
      [A, "a"],
      ["1,1,0]", "2,1,0]"],
      ["1,1,0]", "1,1]"],
      ['["receiver",0,0,1]', "7"],
      ["receiver", "24:0a:c4:00:00:02"],
      ["receiver", "re ceiver"],
      [/"members".*/, '"members":[]}'],
      [/}$/, ""],
    ];
    for (const [from, to] of changes)
      expect(readJob(TEXT.replace(from, to)), `${from} → ${to}`).equal(undefined);
    for (const text of ["", "null", "[]", "{}"]) expect(readJob(text)).equal(undefined);
  });

  it("fits NVS with as many members, images and letters as it may have", () => {
    const components = Array.from({ length: MAX_MEMBER_COUNT }, (_, i) => ({
      id: `${i}`.padStart(MAX_ID_LENGTH, "x"),
      image: `${i % 8}`.repeat(64),
      step: i % 8,
    }));
    const job = begin({ ...OFFER, version: "1".repeat(48), components }) as Job;
    const text = writeJob({ ...job, reason: "r".repeat(160) });
    expect(text.length).most(MAX_JOB_LENGTH);
    expect(readJob(text)?.members).deep.equal(components);
  });

  it("is refused if it exceeds what is kept", () => {
    expect(begin(of(MAX_MEMBER_COUNT))).an("object");
    expect(begin(of(MAX_MEMBER_COUNT + 1))).equal("it has 65 components, 1 to 64 can be led");
    expect(begin(of(2, { id: "one" }))).equal("two components have one id");
    expect(begin(of(1, { id: "x".repeat(MAX_ID_LENGTH + 1) }))).match(/is no component$/);
    for (const change of [{ id: "" }, { id: 'a"b' }, { image: "A".repeat(64) }, { step: 8 }, { step: -1 }])
      expect(begin(of(1, change)), JSON.stringify(change)).match(/is no component$/);
    const images = of(9).components.map((component, i) => ({ ...component, image: `${i}`.repeat(64) }));
    expect(begin({ ...OFFER, components: images })).equal("it has 9 images, at most 8 are kept");
  });
});
