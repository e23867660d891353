import { expect } from "chai";
import { type Rig, setUpRig } from "./rig.js";

const HOUR_MS = 3_600_000;

describe("an intended restart", () => {
  let rig: Rig;
  afterEach(() => rig.close());

  const causes = () =>
    (rig.checks as { readonly reset_reason?: string }[]).map((check) => check.reset_reason);
  const until = async (done: () => boolean) =>
    expect(await rig.desk.world.runUntil(done, { limitMs: HOUR_MS })).equal(true);

  it("leaves its reason to the next boot, also of another firmware, and to no later one", async () => {
    rig = await setUpRig();
    const { device } = rig.desk;
    device.powerOn();
    await until(() => rig.checks.some(({ current_version }) => current_version === "1.1.0"));
    expect(rig.trace.join("\n")).match(/running ota_0 .*restarted by software \(update\)/);
    expect(new Set(causes())).deep.equal(new Set(["power-on", "software (update)"]));
    expect(device.machine?.nvs?.get("skyslot", "restart").error).equal("ESP_ERR_NVS_NOT_FOUND");
    await until(() => rig.reports.some(({ status }) => status === "success"));

    const checkCount = rig.checks.length;
    device.powerOff();
    device.powerOn();
    await until(() => rig.checks.length > checkCount);
    expect(causes().at(-1)).equal("power-on");
  });

  it("is recognized only where the chip restarted by software", async () => {
    rig = await setUpRig();
    const { device } = rig.desk;
    device.powerOn();
    await until(() => rig.checks.length > 0);
    // the power failed between the note and the restart
    expect(device.machine?.nvs?.set("skyslot", "restart", "str", "owner")).equal("ESP_OK");
    device.powerOff();
    const checkCount = rig.checks.length;
    device.powerOn();
    await until(() => rig.checks.length > checkCount);
    expect(causes().at(-1)).equal("power-on");
    expect(device.machine?.nvs?.get("skyslot", "restart").error).equal("ESP_ERR_NVS_NOT_FOUND");
  });
});
