import { expect } from "chai";
import { readCheckAnswer } from "../../../../firmware/core/update/check-answer.js";

const OFFER = Object.freeze({
  update_available: true,
  time: 5,
  firmware_id: 7,
  version: "1.1.0",
  build_number: 3,
  download_url: "/image",
  digests_url: "/digests",
  release: "a.b.c",
});
const read = (changes: object) => readCheckAnswer(JSON.stringify({ ...OFFER, ...changes }));

describe("an answer to a check", () => {
  it("is read with the fields that a device uses, and no others", () => {
    expect(read({ file_size: 9, colour: "red" })).deep.equal(OFFER);
    expect(read({ build_number: undefined }))
      .property("build_number")
      .equal(0);
    expect(readCheckAnswer('{"update_available":false,"time":5,"poll_seconds":60}')).deep.equal({
      update_available: false,
      time: 5,
      poll_seconds: 60,
    });
  });

  it("is malformed when a field that is used has another type or is too long", () => {
    for (const changes of [
      { time: "5" },
      { poll_seconds: "60" },
      { update_available: 1 },
      { firmware_id: -1 },
      { firmware_id: 0 },
      { firmware_id: 1.5 },
      { build_number: -1 },
      { version: "1".repeat(49) },
      { download_url: 5 },
      { digests_url: 5 },
      { release: undefined },
    ])
      expect(read(changes), JSON.stringify(changes)).equal(undefined);
    for (const text of ["", "{", "null", "[]", "5"]) expect(readCheckAnswer(text), text).equal(undefined);
    expect(read({ version: "1".repeat(48) })).not.equal(undefined);
  });

  it("is malformed with a firmware id that is not whole, exact and above 0", () => {
    const text = (id: string) => JSON.stringify(OFFER).replace('"firmware_id":7', `"firmware_id":${id}`);
    for (const id of [
      "0",
      "-0",
      "-7",
      "0.5",
      "1e999",
      "-1e999",
      "9007199254740992",
      "1e300",
      '"7"',
      "null",
      "[7]",
    ])
      expect(readCheckAnswer(text(id)), id).equal(undefined);
    for (const id of ["1", "7e0", "9007199254740991"])
      expect(readCheckAnswer(text(id)), id).not.equal(undefined);
  });

  it("loses only what may be missing: orders and tokens that are malformed", () => {
    expect(read({ orders: [{ kind: "restart" }], device_token: 5, poll_is_for_all: "yes" })).deep.equal(
      OFFER,
    );
    expect(read({ orders: [{ id: 4, kind: "restart" }], device_token: "skd_1" })).deep.include({
      orders: [{ id: 4, kind: "restart" }],
      device_token: "skd_1",
    });
  });
});
