// A server, or anyone between it and the device, who says things in one answer that are not so: the device is none the worse when the answers
// are right again. The kind: what one unsigned answer says decides for longer than until the next.

import { expect } from "chai";
import { type Lie, type Rig, readJson, releaseOf, START_TIME, setUpRig, writeJson } from "./rig.js";

const HOUR_MS = 3_600_000;

describe("a server that says in some answers what is not so", () => {
  let rig: Rig;
  afterEach(() => rig.close());

  /** The answer to the check of this number, from 1, with some fields changed; as text, so that they may be any numbers. */
  const lyingAbout =
    (change: (answer: string, checkCount: number) => string): Lie =>
    async ({ path }, honest) => {
      const answer = await honest();
      if (path !== "/api/ota/check" || answer.status !== 200) return answer;
      const text = change(JSON.stringify(readJson(answer.body!)), rig.checks.length);
      return { ...answer, body: new TextEncoder().encode(text) };
    };
  const withField = (text: string, name: string, value: string) =>
    `${JSON.stringify({ ...JSON.parse(text), [name]: undefined }).slice(0, -1)},"${name}":${value}}`;

  const isUpdated = () =>
    rig.checks.some((check) => check.current_version === "1.1.0" && check.slot_state === "valid");
  const restarts = () => rig.events.filter(({ type }) => type === "restarted").length;
  const until = async (done: () => boolean) =>
    expect(await rig.desk.world.runUntil(done, { limitMs: HOUR_MS })).equal(true);

  for (const id of ["0", "-1", "0.5", "1e999", "9007199254740993", "null"]) {
    it(`firmware id ${id} is no offer, and no push either: the next answer's is installed`, async () => {
      rig = await setUpRig({
        lie: lyingAbout((text, count) => (count > 2 ? text : withField(text, "firmware_id", id))),
      });
      rig.desk.device.powerOn();
      await until(() => rig.checks.length === 3);
      expect(restarts()).equal(0);
      await until(isUpdated);
      expect(rig.reports.at(-1)).include({ firmware_id: 1, status: "success" });
    });
  }

  for (const [what, time] of Object.entries({
    "year 2200": "7258118400",
    "0": "0",
    milliseconds: `${START_TIME * 1000}`,
    "1e999": "1e999",
    "ten years later": `${START_TIME + 315_360_000}`,
  })) {
    it(`the time ${what} decides nothing for good: an update that expires in an hour is installed`, async () => {
      rig = await setUpRig({
        lie: async (request, honest) => {
          const answer = await lyingAbout((text, count) =>
            count > 3 ? text : withField(text, "time", time),
          )(request, honest);
          const body = request.path === "/api/ota/check" && answer.body ? readJson(answer.body) : {};
          if (!body.release || time === "1e999") return answer;
          return { ...answer, body: writeJson({ ...body, release: expiring }) };
        },
      });
      const expiring = await releaseOf(rig.updateImage, { expires: START_TIME + 3600 });
      rig.desk.device.powerOn();
      await until(isUpdated);
      expect(
        rig.reports.filter(({ error_code }) => error_code === "RELEASE_EXPIRED").length,
        "told once",
      ).most(1);
    });
  }

  it("a token replaces none: the device's own is accepted again", async () => {
    rig = await setUpRig({
      lie: lyingAbout((text, count) =>
        count === 4 || count === 6 ? withField(text, "device_token", '"forged"') : text,
      ),
    });
    rig.desk.device.powerOn();
    await until(() => rig.checks.length > 9);
    const accepted = async () =>
      (await rig.server.admin(
        "GET",
        `/api/devices/${(rig.checks[0] as never as { device_id: string }).device_id}`,
      )) as { last_seen?: string };
    const before = await accepted();
    await rig.desk.world.runFor(300_000);
    expect(await accepted()).not.deep.equal(before);
    expect(rig.trace.filter((line) => line.includes("trying the other token"))).lengthOf(2);
    expect(rig.trace.join("\n")).not.match(/does not take this device's token/);
    await until(isUpdated);
  });

  it("an order with the highest id there is ends no later ones", async () => {
    const restart = (id: number) => JSON.stringify([{ id, kind: "restart" }]);
    rig = await setUpRig({
      lie: lyingAbout((text, count) =>
        count < 8 || count > 40
          ? text
          : withField(text, "orders", restart(count < 10 ? Number.MAX_SAFE_INTEGER : 7)),
      ),
    });
    rig.desk.device.powerOn();
    const ordered = () =>
      rig.trace
        .filter((line) => line.includes("the server ordered a restart"))
        .map((line) => line.match(/order (\d+)/)![1]);
    await until(() => ordered().length === 2);
    expect(ordered()).deep.equal(["9007199254740991", "7"]);
    await rig.desk.world.runFor(2 * HOUR_MS);
    expect(ordered(), "each once").lengthOf(2);
  });
});
