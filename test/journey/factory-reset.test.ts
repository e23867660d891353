// The kind: what was forgotten, but can still be read from the flash by whoever takes the device apart. NVS only marks entries as erased.

import { expect } from "chai";
import { Desk, HOME, OWNER_TOKEN } from "../../host-sim/desk/desk.js";
import { Flash } from "../../host-sim/hardware/flash/flash.js";
import { initNvs } from "../../host-sim/hardware/nvs/nvs-init.js";
import { Phone } from "../../host-sim/network/phone.js";
import { imageOf } from "./rig.js";

const FLASH_BYTES = 8 * 1024 * 1024;
const WORD_BYTES = 4;
const NVS = Object.freeze({ offset: 0x9000, sizeBytes: 0x5000 });
const SERVER_TOKEN = "skd_this-is-the-token-of-the-server";
const FORMER_TOKEN = "the-token-before-this";
const FORMER_PASSWORD = "password of a network that was forgotten";
const SECRETS = [HOME.ssid, HOME.password, OWNER_TOKEN, SERVER_TOKEN, FORMER_TOKEN, FORMER_PASSWORD];

/** A house whose device was set up, and has forgotten a token and a network since. */
class House {
  readonly desk: Desk;
  readonly trace: string[] = [];
  cutCount = 0;
  restartCount = 0;

  constructor(contents: Uint8Array | undefined, image?: Uint8Array) {
    this.desk = new Desk({
      image,
      flash: new Flash(FLASH_BYTES, contents),
      manual: true,
      server: { handler: async () => ({ status: 503 }) },
      onTrace: (line) => this.trace.push(line),
      onEvent: ({ type }) => {
        if (type === "restarted") this.restartCount++;
        if (type !== "powerCut") return;
        this.cutCount++;
        this.desk.world.schedule(1_500, () => this.desk.device.powerOn());
      },
    });
  }

  static async settled(): Promise<Uint8Array> {
    const house = new House(undefined, await imageOf("base", "1.0.0"));
    const { flash, partitions } = house.desk.device;
    const { nvs } = initNvs(flash, partitions);
    const store = (key: string, value: string) =>
      expect(nvs!.set("skyslot", key, "str", value)).equal("ESP_OK");
    store("layout", "1");
    store(
      "networks",
      JSON.stringify([
        [HOME.ssid, HOME.password],
        ["old", FORMER_PASSWORD],
      ]),
    );
    store("networks", JSON.stringify([[HOME.ssid, HOME.password]]));
    store("push.token", FORMER_TOKEN);
    store("push.token", OWNER_TOKEN);
    store("server.token", `http://updates.skyslot.test:8080 ${SERVER_TOKEN}`);
    for (let i = 0; i < 150; i++) nvs!.set("other", `key${i}`, "u8", i);
    store("device.name", "Lamp");
    return flash.bytes.slice();
  }

  /** Its owner resets it. `begun` is called when the erasure is about to begin. */
  async reset(begun: () => void = () => {}): Promise<void> {
    const { world, device, network } = this.desk;
    device.powerOn();
    const address = () => this.trace.join("\n").match(/address (\d+\.\d+\.\d+\.\d+)/)?.[1];
    await world.runUntil(() => address() !== undefined, { limitMs: 120_000 });
    const phone = new Phone({ world, network, name: "phone", mac: "02:00:00:00:00:77" });
    let status = 0;
    const ask = async () => {
      await phone.join(HOME.ssid, HOME.password);
      const headers = { "content-type": "application/json", authorization: `Bearer ${OWNER_TOKEN}` };
      ({ status } = await phone.post("/api/factory-reset", "{}", address(), { headers }));
    };
    void ask();
    await world.runUntil(() => status !== 0, { limitMs: 60_000 });
    expect(status).equal(202);
    begun();
    await world.runFor(20_000);
  }

  get isInSetup(): boolean {
    return (
      this.desk.device.isPowered && this.trace.slice(-30).some((line) => line.includes("setup portal open"))
    );
  }

  /** Those that a reader of the whole flash finds. */
  secretsIn(): string[] {
    const text = Buffer.from(this.desk.device.flash.bytes).toString("latin1");
    return SECRETS.filter((secret) => text.includes(Buffer.from(secret).toString("latin1")));
  }
}

describe("a factory reset", () => {
  let contents: Uint8Array;
  before(async () => {
    contents = await House.settled();
  });

  it("leaves nothing of the owner in the flash, of what was forgotten before neither", async () => {
    const house = new House(contents);
    expect(house.secretsIn(), "before").deep.equal(SECRETS);
    await house.reset();
    expect(house.secretsIn()).deep.equal([]);
    expect(house.isInSetup).equal(true);
    expect(house.restartCount).equal(1);
    expect(house.desk.device.machine?.nvs?.list().map(({ namespace }) => namespace)).not.include("other");
    house.desk.device.powerOff();
  });

  it("that the power cuts short anywhere is finished when it comes back, or has not begun", async () => {
    const units = await unitsOfReset(contents);
    expect(units).above(40);
    const outcomes = { finished: 0, untouched: 0 };
    for (let cut = 0; cut < units; cut += cut < 60 || cut > units - 12 ? 1 : 7) {
      const house = new House(contents);
      const { flash } = house.desk.device;
      await house.reset(() => flash.cutAfterUnits(cut, seededRandom(cut)));
      const where = `cut after ${cut} of ${units} units`;
      expect(house.cutCount, where).equal(1);
      expect(house.restartCount, where).within(0, 1);
      const left = house.secretsIn();
      if (house.isInSetup) expect(left, where).deep.equal([]);
      else expect(left, where).deep.equal(SECRETS);
      outcomes[house.isInSetup ? "finished" : "untouched"]++;
      house.desk.device.powerOff();
    }
    expect(outcomes.finished).above(10);
    expect(outcomes.untouched).above(0);
  }).timeout(300_000);
});

/** Erases and words written by a reset, as `cutAfterUnits` counts them, until the restart. */
async function unitsOfReset(contents: Uint8Array): Promise<number> {
  const house = new House(contents);
  let units = 0;
  await house.reset(() => {
    house.desk.device.flash.onOperation = ({ offset, length, kind }, when) => {
      const isNvs = offset >= NVS.offset && offset < NVS.offset + NVS.sizeBytes;
      if (when === "after" && isNvs && house.restartCount === 0)
        units += kind === "erase" ? 1 : Math.ceil(length / WORD_BYTES);
    };
  });
  house.desk.device.powerOff();
  return units;
}

function seededRandom(seed: number): () => number {
  let state = seed + 1;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}
