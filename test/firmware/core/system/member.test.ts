// A member of a system in the words of the device protocol.

import { expect } from "chai";
import { readJsonObject } from "../../../../firmware/core/json.js";
import {
  answerToCheck,
  reportOfCheck,
  reportOfDevice,
  reportSeen,
} from "../../../../firmware/core/system/member.js";
import type { MemberOffer } from "../../../../firmware/core/system/offers.js";
import type { UpdateState } from "../../../../firmware/core/update/state.js";

const IMAGE = "a".repeat(64);
const STAGED = "b".repeat(64);
const OFFER: MemberOffer = {
  id: "transmitter",
  image: STAGED,
  sizeBytes: 40_000,
  answer: { firmware_id: 7, version: "1.1.0", build_number: 0, download_url: "/d/7", release: "x.y.z" },
};
const answered = (...args: Parameters<typeof answerToCheck>) => {
  const text = answerToCheck(...args);
  return text === undefined ? undefined : JSON.parse(text);
};
const said = (body: object) => reportOfCheck(readJsonObject(JSON.stringify(body))!);

describe("a member of a system", () => {
  it("says in its check what it runs, whether on trial, and what is staged", () => {
    expect(said({ image_sha256: IMAGE })).deep.equal({ image: IMAGE });
    expect(said({ image_sha256: IMAGE, slot_state: "valid" })).deep.equal({ image: IMAGE });
    expect(said({ image_sha256: IMAGE, slot_state: "pending_verify", staged_sha256: STAGED })).deep.equal({
      image: IMAGE,
      isOnTrial: true,
      staged: STAGED,
    });
    expect(said({ staged_sha256: STAGED })).equal(undefined);
    expect(said({ image_sha256: 7 })).equal(undefined);
  });

  it("that leads knows the same of itself, but what is staged only when its slot was proved again", () => {
    const update = (change: object) =>
      ({ boot: { image: { imageSha256: IMAGE } }, phase: "idle", ...change }) as unknown as UpdateState;
    expect(reportOfDevice({ boot: undefined } as UpdateState)).equal(undefined);
    expect(reportOfDevice(update({}))).deep.equal({ image: IMAGE });
    const staged = { imageSha256: STAGED };
    expect(reportOfDevice(update({ staged }))).deep.equal({ image: IMAGE, staged: STAGED });
    expect(reportOfDevice(update({ staged, phase: "restoring" }))).deep.equal({ image: IMAGE });
    expect(reportOfDevice(update({ onTrial: true }))).deep.equal({ image: IMAGE, isOnTrial: true });
  });

  it("reports how an installation goes; texts are cut, and what is none is empty", () => {
    const body = { device_id: "t-1", firmware_id: 7, status: "failed", error_code: "FLASH_FAILED" };
    expect(reportSeen(JSON.stringify({ ...body, error_message: "x".repeat(500), step: 3 }))).deep.equal({
      deviceId: "t-1",
      firmwareId: 7,
      status: "failed",
      step: "",
      code: "FLASH_FAILED",
      message: "x".repeat(160),
    });
    expect(reportSeen('{"firmware_id":7,"status":"success"}')).include({ firmwareId: 7, deviceId: "" });
    for (const text of ["", "{}", "[]", '{"firmware_id":"7","status":"failed"}', '{"firmware_id":7}'])
      expect(reportSeen(text), text).equal(undefined);
  });

  it("is told to stage, to start, to drop or to leave an image, or to wait, and to come back soon", () => {
    const always = { time: 1_800_000_000, poll_seconds: 10, poll_is_for_all: true };
    const { time } = always;
    const id = "transmitter";
    expect(answered({ type: "stageComponent", id, image: STAGED }, [OFFER], time)).deep.equal({
      update_available: true,
      ...always,
      ...OFFER.answer,
      hold: true,
    });
    const no = { update_available: false, ...always };
    for (const [type, word] of [
      ["commitComponent", { commit: IMAGE }],
      ["abandonComponent", { abandon: true }],
      ["rollBackComponent", { revert: IMAGE }],
      ["askComponent", {}],
    ] as const)
      expect(answered({ type, id, image: IMAGE }, [], time), type).deep.equal({ ...no, ...word });
    expect(answered(undefined, [OFFER], time)).deep.equal(no);
  });

  it("is not answered where the leader does not have its image", () => {
    const request = { type: "stageComponent", id: "receiver", image: STAGED } as const;
    expect(answered(request, [OFFER], 0)).equal(undefined);
    expect(answered({ ...request, id: "transmitter", image: IMAGE }, [OFFER], 0)).equal(undefined);
  });
});
