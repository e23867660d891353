import { expect } from "chai";
import { randomStream } from "../../../host-sim/world/random.js";
import { type LiveFleet, startLiveFleet } from "../../../server/demo/live-fleet.js";
import { PAGE } from "../../contract/store/samples.js";
import { makeRelease, TestServer } from "../test-server.js";

const DEVICE_COUNT = 20;
const STEP_MS = 10_000;
const HOUR_MS = 3_600_000;

describe("the sample fleet, alive", () => {
  let server: TestServer;
  let fleet: LiveFleet;
  let troubles: unknown[];
  beforeEach(async () => {
    server = await TestServer.open();
    troubles = [];
    const { imageSha256 } = await makeRelease("1.0.0");
    for (let index = 0; index < DEVICE_COUNT; index++)
      await server.check({
        device_id: `base-${index}`,
        current_version: "1.0.0",
        image_sha256: imageSha256,
        check_seconds: 120,
      });
  });
  afterEach(async () => {
    await fleet.close();
    await server.close();
  });
  const start = async (seed = "a") => {
    fleet = await startLiveFleet({
      app: server.app,
      store: server.store,
      now: () => server.nowMs,
      random: randomStream(seed),
      onTrouble: (error) => troubles.push(error),
    });
  };
  const live = async (ms: number) => {
    for (let passed = 0; passed < ms; passed += STEP_MS) {
      server.nowMs += STEP_MS;
      await fleet.turn();
      if (passed % 60_000 === 0) await server.app.tick();
    }
  };
  const versions = async () =>
    (await server.store.listDevices({}, { limit: 500, offset: 0 })).rows.map(({ version }) => version);
  /** @returns its id */
  const rollOut = async (version: string, stages = [50, 100]): Promise<number> => {
    const firmware = await server.upload(await makeRelease(version), { is_stable: "false" });
    // One failed download among the first few does not stop it.
    const gates = { min_samples: 20 };
    const body = {
      firmware_id: firmware.json().id,
      stages: stages.map((percent) => ({ percent, soak_seconds: 0, min_validated_fraction: 0.5 })),
      gates,
      seed: "spring",
    };
    const { id } = (await server.admin("POST", "/api/rollouts", body)).json();
    await server.admin("POST", `/api/rollouts/${id}/start`, {});
    return id;
  };

  it("moves a rollout that somebody starts from its first stage to its end, in minutes", async function () {
    this.timeout(60_000);
    await start();
    const id = await rollOut("2.0.0");
    await live(HOUR_MS / 20);
    const half = (await versions()).filter((version) => version === "2.0.0").length;
    expect(half).to.be.within(1, (3 * DEVICE_COUNT) / 4);
    await live(HOUR_MS);
    expect(new Set(await versions()).has("2.0.0")).to.equal(true);
    const { state, reason } = (await server.admin("GET", `/api/rollouts/${id}`)).json();
    expect(state, reason).to.be.oneOf(["running", "finished"]);
    expect(troubles).to.deep.equal([]);
  });

  it("goes back from a release that is bad, and a gate pauses its rollout", async function () {
    this.timeout(60_000);
    await start();
    // Of the releases that the sample fleet knows, this fails on every second device of its type.
    const { image, release } = await makeRelease("1.2.0", { type: "cms", image: { project: "cms" } });
    for (let index = 0; index < DEVICE_COUNT; index++)
      await server.check({ device_id: `cms-${index}`, device_type: "cms", check_seconds: 120 });
    await fleet.close();
    await start();
    const firmware = await server.upload({ image, release, imageSha256: "" }, { is_stable: "false" });
    const { id } = (
      await server.admin("POST", "/api/rollouts", {
        firmware_id: firmware.json().id,
        stages: [{ percent: 100 }],
      })
    ).json();
    await server.admin("POST", `/api/rollouts/${id}/start`, {});
    await live(HOUR_MS / 5);
    expect((await server.admin("GET", `/api/rollouts/${id}`)).json().state).to.equal("paused");
    const attempts = (await server.store.listUpdates({}, PAGE)).rows;
    expect(attempts.map(({ errorCode }) => errorCode)).to.include("ROLLED_BACK");
  });

  it("goes on after a restart with what its devices ran, and without those that were gone", async () => {
    server.nowMs += 24 * HOUR_MS;
    await server.check({ device_id: "base-0", current_version: "1.0.0", check_seconds: 120 });
    await start();
    expect(fleet.deviceCount).to.equal(1);
    await live(5 * 60_000);
    expect(new Set(await versions())).to.deep.equal(new Set(["1.0.0"]));
  });

  it("tries again later where the server refuses a device", async () => {
    await start();
    await server.admin("POST", "/api/device-identities/change", {
      device_ids: ["base-0"],
      action: "block",
    });
    await live(5 * 60_000);
    expect(troubles).to.deep.equal([]);
    const blocked = await server.store.findDevice("base-0");
    expect(blocked?.lastSeen).to.be.lessThan(server.nowMs - 4 * 60_000);
  });
});
