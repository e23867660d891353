// The key of a check: two checks may only share one if they are answered and recorded in the same way.

import { expect } from "chai";
import type { CheckRequest } from "../../../firmware/core/wire.js";
import { noOpKeyOf } from "../../../server/fast-path/check-key.js";

/** Every field, so that a new one does not compile until it is listed here. */
const CHECK: Required<CheckRequest> = {
  device_id: "base-010203",
  device_type: "base",
  current_version: "1.0.0",
  current_build: 0,
  hardware: "esp32",
  chip: "esp32",
  image_sha256: "a".repeat(64),
  slot: "ota_0",
  slot_state: "valid",
  boot_count: 3,
  reset_reason: "software",
  free_heap: 150_000,
  rssi: -50,
  uptime_seconds: 60,
  address: "192.168.1.50",
  keeps_token: true,
  staged_sha256: "c".repeat(64),
  check_seconds: 300,
  order_results: [{ id: 1, result: "done" }],
  abilities_digest: "0a1b2c3d",
  root_version: 1,
  frozen: false,
  root_refused: "trust root: no",
  temperature_c: 21.5,
  humidity_percent: 40,
  battery_percent: 80,
};

/** Another value for each field; `null`: only stored as last seen, so it does not count. */
const OTHERS: Readonly<Record<keyof CheckRequest, unknown>> = {
  device_id: "base-010204",
  device_type: "led",
  current_version: "1.0.1",
  current_build: 1,
  hardware: "olimex",
  chip: "esp32c3",
  image_sha256: "b".repeat(64),
  slot: "ota_1",
  slot_state: "factory",
  boot_count: 4,
  reset_reason: "panic",
  free_heap: null,
  rssi: null,
  uptime_seconds: null,
  address: "192.168.1.51",
  keeps_token: false,
  staged_sha256: "d".repeat(64),
  check_seconds: 301,
  order_results: [{ id: 1, result: "refused" }],
  abilities_digest: "0a1b2c3e",
  root_version: 2,
  frozen: true,
  root_refused: "trust root: nobody",
  temperature_c: null,
  humidity_percent: null,
  battery_percent: null,
};
const TOKEN = "skd_token";

const key = (changes: object = {}, credential: string | undefined = TOKEN) =>
  noOpKeyOf({ ...CHECK, ...changes }, credential);
const keyWithout = (field: string) => {
  const { [field as keyof CheckRequest]: _left, ...rest } = CHECK;
  return noOpKeyOf(rest as CheckRequest, TOKEN);
};

describe("the key of a check", () => {
  it("is the same for the same check, and short whatever is in it", () => {
    expect(key()).to.equal(key());
    expect(key()).to.match(/^[\w-]{43}$/);
  });

  for (const [field, other] of Object.entries(OTHERS)) {
    if (other === null)
      it(`does not depend on ${field}, which is stored as last seen`, () => {
        expect(key({ [field]: 1 })).to.equal(key());
        expect(keyWithout(field)).to.equal(key());
      });
    else
      it(`depends on ${field}`, () => {
        expect(key({ [field]: other })).not.to.equal(key());
        expect(keyWithout(field)).not.to.equal(key());
      });
  }

  it("depends on unknown fields", () => {
    expect(key({ future: 1 })).not.to.equal(key());
    expect(key({ future: 1 })).not.to.equal(key({ future: 2 }));
  });

  it("depends on the credential: another, none, and a malformed one", () => {
    const none = noOpKeyOf(CHECK, undefined);
    expect(new Set([key(), key({}, "skd_other"), key({}, ""), none])).to.have.property("size", 4);
  });

  it("never confuses values, wherever the boundaries between them are", () => {
    expect(key({ device_id: "ab", device_type: "c" })).not.to.equal(
      key({ device_id: "a", device_type: "bc" }),
    );
    expect(key({ current_build: 1, slot: "1" })).not.to.equal(key({ current_build: "1", slot: 1 }));
    // The separator after a value, as a part of the value.
    const { chip: _chip, ...noChip } = CHECK;
    for (const behind of [";4:chip5:esp32", ";4:chip:esp32", ";:chip5:esp32", ";chip5:esp32", ";chip:esp32"])
      expect(noOpKeyOf({ ...noChip, hardware: `esp32${behind}` }, TOKEN), behind).not.to.equal(key());
    const noBoard = { device_id: "a" } as CheckRequest;
    const board = { hardware: "x", device_id: "a" } as unknown as CheckRequest;
    expect(noOpKeyOf(noBoard, "t;8:hardware1:x")).not.to.equal(noOpKeyOf(board, "t"));
  });

  it("distinguishes the name of one field from the name and the value of another", () => {
    const check = (fields: object) => noOpKeyOf(fields as CheckRequest, undefined);
    expect(check({ ab: "c" })).not.to.equal(check({ a: "bc" }));
    expect(check({ a: 1, b: 2 })).not.to.equal(check({ a: "1;1:b=2" }));
    expect(check({ a: "1" })).not.to.equal(check({ a: 1 }));
    // A client may send fields of any name.
    for (const name of ["a=1;b", "a=1;:b", "a=1;1:b"])
      expect(check({ a: 1, b: 2 }), name).not.to.equal(check({ [name]: 2 }));
  });
});
