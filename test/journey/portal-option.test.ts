import { expect } from "chai";
import { HOME } from "../../host-sim/desk/desk.js";
import { Phone } from "../../host-sim/network/phone.js";
import { type Rig, setUpRig } from "./rig.js";

describe("DHCP option 114", () => {
  let rig: Rig;
  afterEach(() => rig.close());

  /** Runs the world until the phone is done. */
  async function settled<Value>(promise: Promise<Value>): Promise<Value> {
    let over = false;
    const outcome = promise.finally(() => {
      over = true;
    });
    await rig.desk.world.runUntil(() => over, { limitMs: 60_000 });
    return outcome;
  }

  it("gives a phone the portal's URL with its address", async () => {
    rig = await setUpRig({ manual: true });
    const { world, network, device } = rig.desk;
    device.powerOn();
    await world.runFor(2_000);
    const phone = new Phone({ world, network });
    const [portal = ""] = phone.visibleSsids().filter((ssid) => ssid.startsWith("Skyslot "));
    await settled(phone.join(portal));
    expect(phone.captivePortalUri).equal("http://192.168.4.1/");
    const page = await settled(phone.fetch(phone.captivePortalUri ?? ""));
    expect(page.status).equal(200);
    expect(page.text).match(/<!doctype html>/i);
    await settled(phone.join(HOME.ssid, HOME.password));
    expect(phone.captivePortalUri).equal(undefined);
  });
});
