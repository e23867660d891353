// An order of the update server to a gateway, as it is read from an answer and kept over a restart.

import { expect } from "chai";
import { readKeptJob, readOrders, writeKeptJob } from "../../../../firmware/core/gateway/job-order.js";
import { jws, PAGED } from "../releases.js";

const ORDER = {
  id: 4,
  firmware_id: 7,
  node_type: "pir",
  hardware: "ESP32",
  version: "1.1.0",
  build_number: 2,
  md5: "ABCDEF0123456789abcdef0123456789",
  size: 40_000,
  download_url: "/api/ota/download/7",
  force_update: true,
};
const SIGNED = { ...ORDER, release: jws(PAGED), digests_url: "/d/7", rule: "all", node_id: "pir-1" };
const read = (change: object = {}, from: object = ORDER) =>
  readOrders(JSON.stringify({ updates: [{ ...from, ...change }] }));

describe("an order of the update server", () => {
  it("is the oldest one of an answer, field by field", () => {
    expect(read()).deep.equal({
      id: 4,
      firmwareId: 7,
      nodeType: "pir",
      hardware: "ESP32",
      version: "1.1.0",
      build: 2,
      md5: "abcdef0123456789abcdef0123456789",
      sizeBytes: 40_000,
      target: "/api/ota/download/7",
      image: undefined,
      isForced: true,
      rule: "each",
      nodeId: undefined,
    });
    const two = readOrders(JSON.stringify({ updates: [ORDER, { ...ORDER, id: 5 }] }));
    expect(two ? two.id : two).equal(4);
    expect(readOrders('{"updates":[]}')).equal(undefined);
  });

  it("has a signed image only if its release is of that size, and is for all or none only then", () => {
    const signed = read({}, SIGNED);
    expect(signed ? signed.image?.release.version : signed).equal("1.1.0");
    expect(signed).include({ rule: "all", nodeId: "pir-1" });
    expect(read({ size: 39_999, rule: "each" }, SIGNED)).include({ image: undefined });
    expect(read({ size: 39_999 }, SIGNED)).equal(false);
    expect(read({ rule: "all" })).equal(false);
    expect(read({ digests_url: undefined, rule: "each" }, SIGNED)).include({ image: undefined });
  });

  it("is none with anything else in its fields, and no answer at all is another thing than no order", () => {
    for (const change of [
      { id: 0 },
      { id: "4" },
      { firmware_id: -1 },
      { size: 0 },
      { size: 1.5 },
      { md5: "abc" },
      { node_type: "" },
      { node_type: "x".repeat(65) },
      { hardware: 7 },
      { version: undefined },
      { download_url: "http://elsewhere.test/x" },
      { download_url: "//elsewhere.test/x" },
      { download_url: `/${"x".repeat(256)}` },
    ])
      expect(read(change), JSON.stringify(change)).equal(false);
    for (const text of ["", "{}", "[]", '{"updates":{}}', '{"updates":[1]}'])
      expect(readOrders(text), text).equal(false);
  });

  it("is kept with its release, its node, and what was decided", () => {
    for (const from of [ORDER, SIGNED])
      for (const isCommitted of [false, true]) {
        const order = read({}, from);
        if (!order) throw new Error("no order");
        for (const isTakenBack of [false, true]) {
          const kept = { order, isCommitted, isTakenBack };
          expect(readKeptJob(writeKeptJob(kept))).deep.equal(kept);
        }
      }
    expect(readKeptJob(undefined)).equal(undefined);
    expect(readKeptJob('{"id":4}')).equal(undefined);
  });
});
