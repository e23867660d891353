import { expect } from "chai";
import { Watch } from "../../../host-sim/device/watch.js";
import { announcedImage } from "../../../host-sim/sim/announced.js";
import { type Scene, SceneReader } from "../../../host-sim/sim/web-view/scene-reader.js";
import type { TargetImage } from "../../../host-sim/sim/web-view/update-state.js";
import { imageOf, type Rig, setUpRig } from "../../journey/rig.js";

describe("what a device says about the image that it receives", () => {
  it("is read from its log, with a release and without", () => {
    expect(announcedImage("info: updating to 2.0.0-rc.1 build 12, 1500000 bytes")).deep.equal({
      version: "2.0.0-rc.1",
      bytes: 1_500_000,
    });
    expect(announcedImage("info: receiving a pushed image of 4096 bytes, 1.2.0")).deep.equal({
      version: "1.2.0",
      bytes: 4_096,
    });
    expect(announcedImage("info: receiving a pushed image of 4096 bytes, unsigned")).deep.equal({
      version: "",
      bytes: 4_096,
    });
  });

  it("says nothing of a size that is not known, nor in another line", () => {
    for (const line of [
      "info: receiving a pushed image of at most 2031616 bytes, unsigned",
      "warn: updating to 1.1.0 build 0, 5 bytes",
      "info: updating to 1.1.0 build 0, many bytes",
      "info: updating to 1.1.0 build 0, 5 bytes more",
      "",
    ])
      expect(announcedImage(line), line).equal(undefined);
  });

  describe("of a real update", () => {
    let rig: Rig | undefined;
    afterEach(() => rig?.close());

    it("lets a simulator that has not made the image show a share of it, which only grows", async () => {
      const update = await imageOf("base", "1.1.0");
      const announced = new Map<string, TargetImage>();
      const onTrace = (line: string, name: string): void => {
        const image = announcedImage(line);
        if (image) announced.set(name, image);
      };
      rig = await setUpRig({ update, onTrace });
      const { desk } = rig;
      const { device, world } = desk;
      const subject = { device, watch: new Watch(device) };
      const reader = new SceneReader(desk, [subject], (_, name) => announced.get(name ?? ""));
      const states: Scene["devices"][number]["update"][] = [];
      device.powerOn();
      while (states.at(-1)?.state !== "done" && world.nowMs < 600_000) {
        await world.runFor(500);
        states.push(reader.take().devices[0]!.update);
      }
      const receiving = states.filter(({ state, doneBytes }) => state === "receiving" && doneBytes > 0);
      expect(receiving.length).above(5);
      for (const [index, { version, doneBytes, totalBytes }] of receiving.entries()) {
        expect(totalBytes).equal(update.length);
        expect(version).equal("1.1.0");
        expect(doneBytes).within(receiving[index - 1]?.doneBytes ?? 1, Math.ceil(update.length / 16) * 16);
      }
      expect(states.at(-1)).deep.equal({ state: "done", version: "1.1.0", doneBytes: 0, totalBytes: 0 });
    });
  });
});
