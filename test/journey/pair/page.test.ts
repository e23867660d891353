import { expect } from "chai";
import { pairPage } from "../../../firmware/portal/pair/pair-page.js";
import { MINUTE_MS, type PairRig, setUpPair } from "./pair-rig.js";

describe("the page of a pair", () => {
  let pair: PairRig | undefined;
  afterEach(() => pair?.close());

  it("is ASCII of at most 20 KB, and loads nothing from elsewhere", () => {
    expect(pairPage).match(/^[\n -~]*$/);
    expect(pairPage.length).below(20_000);
    expect(pairPage).not.match(/(src|href)="?https?:/);
  });

  it("is served at /ota, with what is known of the pair's system, and its commands need the owner's token", async () => {
    pair = await setUpPair();
    pair.powerOn();
    await pair.until(() => pair!.lines.receiver.some((line) => line.includes("setup portal closed")));
    await pair.desk.world.runFor(2 * MINUTE_MS);
    expect(await pair.text("/ota")).equal(pairPage);
    expect(await pair.get("/api/system")).deep.equal({
      available: null,
      description: null,
      job: null,
      uploaded: null,
      undo: null,
      history: [],
    });
    expect((await pair.post("/api/system/install", "{}")).status).equal(409);
    expect((await pair.post("/api/system/cancel", "{}")).status).equal(409);
    expect((await pair.post("/api/system/check", "{}")).status).equal(202);
    expect((await pair.post("/api/system/check", "{}", { token: "somebody-else-1" })).status).equal(403);
    expect((await pair.post("/api/peer/forget", "{}", { token: "" })).status).equal(401);
  });
});
