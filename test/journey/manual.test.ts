import { expect } from "chai";
import { DESK_SERVER, Desk, HOME } from "../../host-sim/desk/desk.js";
import { exposeOnLoopback } from "../../host-sim/network/bridge.js";
import { imageOf } from "./rig.js";

describe("a portal left to the user's own browser", () => {
  it("is a page on localhost that sets the device up", async () => {
    const image = await imageOf("base", "1.0.0");
    const server = { handler: async () => ({ status: 503 }) };
    const desk = new Desk({ image, server, serverUrl: DESK_SERVER, manual: true, realTime: 20 });
    const { port, close } = await exposeOnLoopback({
      network: desk.network,
      device: desk.device,
      devicePort: 80,
    });
    desk.device.powerOn();
    let over = false;
    const world = desk.world.runUntil(() => over, { limitMs: 3_600_000 });
    try {
      const url = `http://localhost:${port}`;
      const page = await eventually(() => fetch(`${url}/`, { redirect: "manual" }));
      expect(page.status).equal(200);
      expect(await page.text()).match(/<!doctype html>/i);
      const form = new URLSearchParams({ ...HOME });
      const answer = await fetch(`${url}/api/join`, { method: "POST", body: form, headers: { origin: url } });
      expect(answer.status).equal(202);
      await eventually(async () => {
        if (desk.device.machine?.radio.joined?.ssid !== HOME.ssid) throw new Error("not joined yet");
      });
    } finally {
      over = true;
      desk.world.stop();
      await world;
      desk.device.powerOff();
      close();
    }
  });
});

/** Tries until it works, for ten seconds. */
async function eventually<Value>(action: () => Promise<Value>): Promise<Value> {
  for (let tries = 0; ; tries++) {
    try {
      return await action();
    } catch (error) {
      if (tries === 100) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}
