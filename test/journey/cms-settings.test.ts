// What the owner of a device with a panel sets on its page, and that the device applies it, after a restart too.

import { expect } from "chai";
import { HOME, OWNER_TOKEN } from "../../host-sim/desk/desk.js";
import { Phone } from "../../host-sim/network/phone.js";
import { contentOf } from "../../server/content/content.js";
import { imageOf, type Rig, setUpRig } from "./rig.js";

const MINUTE_MS = 60_000;
/** A build for Ethernet. */
const CABLE = { seconds: 0, awakeSeconds: 0, firstAwakeSeconds: 0, longestSeconds: 0 };
const SLEEP = { seconds: 900, awakeSeconds: 30, firstAwakeSeconds: 600, longestSeconds: 600 };

describe("the settings of a device with a panel", () => {
  let rig: Rig;
  let lookCount: number;
  let tablet: Phone;
  let address: string;
  afterEach(() => rig.close());

  async function atHome(more: object): Promise<void> {
    lookCount = 0;
    const image = await imageOf("cms", "1.0.0", "esp32", { type: "cms", ...more });
    rig = await setUpRig({
      image,
      update: image,
      content: {
        find: async () => contentOf(Buffer.concat([Buffer.from("P4\n200 200\n"), Buffer.alloc(5000)])),
      },
      lie: async (request, honest) => {
        if (request.path.startsWith("/api/content/")) lookCount++;
        return honest();
      },
    });
    rig.desk.device.powerOn();
    await rig.desk.world.runUntil(() => lookCount > 0, { limitMs: 10 * MINUTE_MS });
    await rig.desk.world.runFor(20_000);
    const { world, network } = rig.desk;
    tablet = new Phone({ world, network, name: "tablet", mac: "02:00:00:00:00:77" });
    await done(tablet.join(HOME.ssid, HOME.password));
    address = rig.trace.join("\n").match(/address (\d+\.\d+\.\d+\.\d+)/)![1]!;
  }

  async function done<T>(promise: Promise<T>): Promise<T> {
    let isOver = false;
    const over = () => {
      isOver = true;
    };
    promise.then(over, over);
    await rig.desk.world.runUntil(() => isOver, { limitMs: MINUTE_MS });
    return promise;
  }

  const change = (values: object) =>
    done(
      tablet.post("/api/cms", JSON.stringify(values), address, {
        headers: { "content-type": "application/json", authorization: `Bearer ${OWNER_TOKEN}` },
      }),
    );
  async function looksIn(minutes: number): Promise<number> {
    const before = lookCount;
    await rig.desk.world.runFor(minutes * MINUTE_MS);
    return lookCount - before;
  }
  async function restart(): Promise<void> {
    rig.desk.device.powerOff();
    rig.desk.device.powerOn();
    await rig.desk.world.runFor(MINUTE_MS);
  }

  it("set how often it requests a picture, and persist", async () => {
    await atHome({ sleep: CABLE });
    const answer = await change({ refreshSeconds: 60 });
    expect([answer.status, JSON.parse(answer.text).values]).deep.equal([
      200,
      { refreshSeconds: 60, sleepSeconds: 0 },
    ]);
    // The next request is still made at the old interval.
    await rig.desk.world.runFor(6 * MINUTE_MS);
    expect(await looksIn(10)).within(8, 12);
    await restart();
    expect(await looksIn(10)).within(8, 12);
    expect((await change({ refreshSeconds: 5 })).status).equal(400);
    expect((await change({ sleepSeconds: 600 })).status, "it has a cable").equal(400);
  });

  it("keep a device awake if its owner chooses so, from the next start on", async () => {
    await atHome({ sleep: SLEEP });
    const sleeps = () =>
      rig.events.filter((event) => event.type === "restarted" && event.cause === "deepSleep");
    expect((await change({ sleepSeconds: 0 })).status).equal(200);
    await rig.desk.world.runUntil(() => sleeps().length > 0, { limitMs: 30 * MINUTE_MS });
    expect(sleeps(), "until then it does as before").length(1);
    await rig.desk.world.runFor(120 * MINUTE_MS);
    expect(sleeps()).length(1);
  });
});
