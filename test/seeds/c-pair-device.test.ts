// System C, a synchronised pair: what its clients ask of the devices themselves, with the real curl. Only address, token and file names are others
// than in the documents.

import { expect } from "chai";
import { OWNER_TOKEN } from "../../host-sim/desk/desk.js";
import { type LivePair, openLivePair } from "../journey/pair/live-pair.js";
import { pairImage } from "../journey/pair/pair-rig.js";
import { releaseOf } from "../journey/rig.js";
import { type Answer, requireCurl, run } from "./seed.js";

/** An update of both takes two and a half minutes of the devices' time. */
const SPEED = 25;
const TOKEN = ["-H", `Authorization: Bearer ${OWNER_TOKEN}`];
const JSON_TYPE = ["-H", "Content-Type: application/json"];

describe("system C, the devices of a pair, with curl", function () {
  this.timeout(180_000);
  let live: LivePair;
  let images: { readonly receiver: Uint8Array; readonly transmitter: Uint8Array };
  before(async function () {
    requireCurl.call(this);
    images = {
      receiver: await pairImage("receiver", "1.1.0"),
      transmitter: await pairImage("transmitter", "1.1.0"),
    };
    live = await openLivePair({ speed: SPEED });
  });
  after(() => live?.close());

  /** @param path at `http://receiver` */
  async function curl(path: string, ...args: readonly string[]): Promise<Answer & { readonly text: string }> {
    const { stdout } = await run("curl", [
      ...["-sS", "--noproxy", "*", "-w", "\n%{http_code}"],
      ...args,
      live.url + path,
    ]);
    const at = stdout.lastIndexOf("\n");
    const text = stdout.slice(0, at);
    const isJson = text.startsWith("{");
    return { status: Number(stdout.slice(at + 1)), text, body: isJson ? JSON.parse(text) : undefined };
  }

  it("tells its identity, the transmitter's, and whether they are compatible (C1, C3)", async () => {
    const { status, body } = await curl("/api/version");
    expect(status).equal(200);
    expect(body).include({
      device: "receiver",
      firmware_version: "1.0.0",
      firmware_version_number: 10_000,
      protocol_version: 1,
      min_compatible: 10_000,
      transmitter_version: "1.0.0",
      transmitter_compatible: true,
    });
    expect(body).to.include.keys("build_date", "build_time", "uptimeSeconds", "freeHeapBytes");
  });

  it("tells its health (C3)", async () => {
    const { body } = await curl("/api/health");
    expect(body).include({
      status: "healthy",
      device: "receiver",
      firmware_version: "1.0.0",
      transmitter_version: "1.0.0",
      transmitter_compatible: true,
      espnow_connected: true,
      wifi_connected: true,
      mqtt_connected: false,
    });
    expect(body.errors).deep.equal([]);
    for (const name of ["uptime", "free_heap", "cpu_freq_mhz"]) expect(body[name], name).a("number");
  });

  it("serves the page of both (C4)", async () => {
    const { status, text } = await curl("/ota");
    expect(status).equal(200);
    expect(text).include("<title>Updates of the pair</title>").and.include("Update both");
  });

  it("installs nothing where nothing was uploaded (C5)", async () => {
    for (const path of ["", "?device=transmitter", "?device=both"]) {
      const { status, body } = await curl(`/api/ota/install${path}`, "-X", "POST", ...TOKEN);
      expect([status, body.success, body.message]).deep.equal([404, false, "No firmware uploaded"]);
    }
  });

  it("changes nothing for anyone without the owner's token", async () => {
    for (const path of ["/api/ota/install?device=both", "/api/ota/rollback?device=both", "/api/receiver"])
      expect((await curl(path, "-X", "POST", ...JSON_TYPE, "-d", "{}")).status, path).equal(401);
    const files = await live.files("transmitter", images.transmitter);
    const upload = await curl("/api/ota/upload?device=transmitter", "-F", `firmware=@${files.image}`);
    expect(upload.status).equal(401);
  });

  it("takes an image for each, says how large it is, then installs both, after it has compared them (C5, C7)", async () => {
    for (const device of ["receiver", "transmitter"] as const) {
      const { image } = await live.files(device, images[device]);
      const release = JSON.stringify({ release: await releaseOf(images[device]) });
      const given = await curl("/api/ota/release", ...TOKEN, ...JSON_TYPE, "-d", release);
      expect(given.status).equal(202);
      const { status, body } = await curl(
        `/api/ota/upload?device=${device}`,
        ...TOKEN,
        ...["-F", `firmware=@${image}`],
      );
      expect(status, JSON.stringify(body)).equal(200);
      expect(body).include({ success: true, size: images[device].length, version: "1.1.0" });
      expect(body.message).a("string");
    }
    const { status, body } = await curl("/api/ota/install?device=both", "-X", "POST", ...TOKEN);
    expect([status, body.success]).deep.equal([202, true]);
    const again = await curl("/api/ota/install?device=both", "-X", "POST", ...TOKEN);
    expect([again.status, again.body.success]).deep.equal([409, false]);
    await live.until(() => live.said("system 1.1.0 is installed on both devices"), "both are installed");
    const versions = (await curl("/api/version")).body;
    expect(versions).include({ firmware_version: "1.1.0", transmitter_version: "1.1.0" });
  });

  it("keeps a history of that, and takes both back (C4, C9)", async () => {
    const { body } = await curl("/api/system");
    expect(body.history[0]).include({ version: "1.1.0", result: "finished", what: "both" });
    expect(body.history[0].time).above(1_700_000_000);
    const { status } = await curl("/api/ota/rollback?device=both", "-X", "POST", ...TOKEN);
    expect(status).equal(202);
    await live.until(() => live.said("rolled back by the owner"), "both are back");
    expect((await curl("/api/version")).body).include({ firmware_version: "1.0.0" });
  });
});
