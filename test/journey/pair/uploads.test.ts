// Images that the owner uploads to the receiver, for it and for its transmitter, and has installed on both, on one alone, and taken back.

import { expect } from "chai";
import { OWNER_TOKEN } from "../../../host-sim/desk/desk.js";
import { Pusher } from "../pusher.js";
import { releaseOf } from "../rig.js";
import { type PairApp, type PairRig, pairImage, setUpPair } from "./pair-rig.js";

const LIMIT_MS = 60 * 60_000;

describe("what is uploaded to a receiver", () => {
  let pair: PairRig;
  let pusher: Pusher;
  afterEach(() => pair.close());

  async function start(): Promise<void> {
    pair = await setUpPair();
    pair.powerOn();
    for (const line of ["setup portal closed", "the transmitter sends data"])
      await pair.until(() => pair.lines.receiver.some((text) => text.includes(line)));
    pusher = new Pusher(pair.desk, pair.address);
  }

  /** Sends an image as the page does: its release first, then the file to port 80. */
  async function upload(app: PairApp, image: Uint8Array, release?: string) {
    const signed = release ?? (await releaseOf(image));
    expect((await pair.post("/api/ota/release", JSON.stringify({ release: signed }))).status).equal(202);
    const path = `/api/ota/upload${app === "transmitter" ? "?device=transmitter" : ""}`;
    const { status, text } = await pusher.push(image, { path, port: 80, token: OWNER_TOKEN });
    return { status, ...JSON.parse(text.slice(text.indexOf("\r\n\r\n"))) };
  }
  const newest = (app: PairApp) => pair.checks.findLast(({ device_type }) => device_type === app);
  const run = (receiver: string, transmitter: string) => () =>
    newest("receiver")?.current_version === receiver &&
    newest("receiver")?.slot_state !== "pending_verify" &&
    newest("transmitter")?.current_version === transmitter;
  const said = (text: string) => pair.lines.receiver.some((line) => line.includes(text));
  const trace = () => pair.trace.slice(-60).join("\n");
  const command = (path: string) => pair.post(path, "{}");

  it("is installed on both, and both can be taken back", async () => {
    await start();
    const images = {
      receiver: await pairImage("receiver", "1.1.0"),
      transmitter: await pairImage("transmitter", "1.1.0"),
    };
    expect((await command("/api/ota/install?device=both")).status).equal(404);
    expect(await upload("transmitter", images.transmitter)).include({
      status: 200,
      success: true,
      size: images.transmitter.length,
      version: "1.1.0",
      type: "transmitter",
    });
    expect((await command("/api/ota/install?device=both")).status).equal(404);
    expect(await upload("receiver", images.receiver)).include({ status: 200, version: "1.1.0" });
    expect(await pair.get("/api/system")).deep.include({
      uploaded: { version: "1.1.0", build: 0, size: images.transmitter.length },
      undo: null,
    });
    const settings = JSON.stringify({ updates: "notify", windowFrom: 22, mqttPassword: "s3cret" });
    expect((await pair.post("/api/receiver", settings)).status).equal(200);
    expect((await command("/api/ota/install?device=both")).status).equal(202);
    const isDone = await pair.until(() => said("system 1.1.0 is installed on both devices"), LIMIT_MS);
    expect(isDone, trace()).equal(true);
    expect(pair.receiver.running?.label).equal("ota_0");
    expect(pair.transmitter.running?.label).equal("ota_0");
    const facts = await pair.get("/api/system");
    expect(facts).include({ undo: "1.1.0", job: null });
    const [entry] = facts.history as Record<string, unknown>[];
    expect(entry).include({ version: "1.1.0", result: "finished", what: "both" });
    // restored after the update, and not shown
    const kept = { updates: "notify", windowFrom: 22, mqttPassword: "********" };
    expect((await pair.get("/api/receiver")).values).include(kept);
    // the update server knows nothing of these images, and hears nothing of them
    expect(pair.reports).deep.equal([]);

    expect((await command("/api/ota/rollback?device=both")).status).equal(202);
    expect(await pair.until(run("1.0.0", "1.0.0"), LIMIT_MS), trace()).equal(true);
    expect(pair.receiver.running?.label).equal("factory");
    expect(pair.transmitter.running?.label).equal("factory");
    const after = await pair.get("/api/system");
    expect(after).include({ undo: null, job: null });
    const [last] = after.history as Record<string, unknown>[];
    expect(last).include({ version: "1.1.0", result: "failed", reason: "rolled back by the owner" });
  });

  it("is installed on the transmitter alone, unless the two would not work together", async () => {
    await start();
    const other = await pairImage("transmitter", "1.3.0", { protocolVersion: 2 });
    const release = await releaseOf(other, { protocolVersion: 2 });
    expect(await upload("transmitter", other, release)).include({ status: 200 });
    const refused = await command("/api/ota/install?device=transmitter");
    expect(refused.status).equal(409);
    expect(refused.text).include("it speaks protocol 2, this device 1");
    const image = await pairImage("transmitter", "1.1.0");
    expect(await upload("transmitter", image)).include({ status: 200 });
    expect((await command("/api/ota/install?device=transmitter")).status).equal(202);
    expect(await pair.until(run("1.0.0", "1.1.0"), LIMIT_MS), trace()).equal(true);
    expect(await pair.until(() => said("1.1.0 is installed on the transmitter"), LIMIT_MS)).equal(true);
    expect(await pair.get("/api/version")).include({ transmitter_version: "1.1.0" });
    expect((await command("/api/ota/install?device=transmitter")).text).include("not newer");
  });

  it("is refused if it is not signed, is for another device, or is not what was signed", async () => {
    await start();
    const image = await pairImage("transmitter", "1.1.0");
    const path = "/api/ota/upload?device=transmitter";
    const push = async (body: Uint8Array, options: Parameters<Pusher["push"]>[1]) =>
      pusher.push(body, { path, port: 80, token: OWNER_TOKEN, ...options });
    expect((await push(image, { token: "" })).status).equal(401);
    expect((await push(image, { token: "somebody-else" })).status).equal(403);
    expect((await push(image, {})).text).include("needs its signed release");
    const receiver = await pairImage("receiver", "1.1.0");
    expect(await upload("transmitter", receiver)).include({ status: 422 });
    const signed = await releaseOf(image);
    expect(await upload("transmitter", image, `${signed.slice(0, -4)}AAAA`)).include({ status: 422 });
    const spoilt = image.slice();
    spoilt[60_000]! ^= 1;
    expect(await upload("transmitter", spoilt, signed)).include({
      status: 422,
      message: "the file is not the one that was signed",
    });
    expect(await pair.get("/api/system")).include({ uploaded: null });
  });

  it("is given up when its sender goes or stalls, and the next one is taken", async () => {
    await start();
    const image = await pairImage("transmitter", "1.1.0");
    const headers = { "x-skyslot-release": await releaseOf(image) };
    const path = "/api/ota/upload?device=transmitter";
    const options = { path, port: 3232, token: OWNER_TOKEN, headers };
    await pusher.push(image, { ...options, leaveAfter: 50_000 });
    await pair.desk.world.runFor(2_000);
    expect(said("is not kept: its sender has gone")).equal(true);
    expect((await pusher.push(image, { ...options, stallAfter: 50_000 })).status).equal(408);
    expect((await pusher.push(image, options)).status).equal(200);
    expect((await command("/api/ota/abandon?device=transmitter")).status).equal(202);
    expect(await pair.get("/api/system")).include({ uploaded: null });
    expect((await command("/api/ota/abandon?device=transmitter")).status).equal(404);
  });
});
