import { expect } from "chai";
import { hashSecret, makeSecret } from "../../../../server/auth/secret.js";
import { sampleDevice, sampleFirmware } from "../../../contract/store/samples.js";
import { START_MS, TestServer } from "../../test-server.js";
import { imageOf, VirtualClient } from "./virtual-fleet.js";

describe("the rollout API", () => {
  let server: TestServer;
  beforeEach(async () => {
    server = await TestServer.open({ deviceRate: undefined });
    await server.store.addFirmware(sampleFirmware({ imageSha256: imageOf("1.1.0") }));
  });
  afterEach(() => server.close());

  const post = (url: string, body: object = {}) => server.admin("POST", `/api/rollouts${url}`, body);
  const create = async (plan: object = {}) => {
    const answer = await post("", { firmware_id: 1, ...plan });
    expect(answer.statusCode, answer.body).to.equal(201);
    return answer.json();
  };
  const as = async (name: string, url: string) => {
    const isKnown = (await server.store.findUserByName(name)) !== undefined;
    const { access } = await (isKnown ? server.logIn(name) : server.addUser(name, "operator"));
    return server.as(access, "POST", `/api/rollouts${url}`);
  };

  it("refuses unknown fields: a typo would send an update to every device", async () => {
    const slips: readonly (readonly [object, string])[] = [
      [{ stage: [{ percent: 10 }] }, "stage is not known; known here: firmware_id, name, target, stages"],
      [{ target: { group: ["lab"] } }, "target.group is not known; known here: hardware, tags, groups"],
      [{ stages: [{ percent: 10, soak: 60 }] }, "stages.0.soak is not known"],
      [{ needs_aproval: true }, "needs_aproval is not known"],
    ];
    for (const [plan, message] of slips) {
      const answer = await post("", { firmware_id: 1, ...plan });
      expect(answer.statusCode, answer.body).to.equal(400);
      expect(answer.json().message).to.contain(message);
    }
    await create();
    const patched = await server.admin("PATCH", "/api/rollouts/1", { target: { group: ["lab"] } });
    expect(patched.statusCode, patched.body).to.equal(400);
    const user = await server.admin("PATCH", "/api/users/ada", { disabled: true });
    expect(user.json().message).to.equal("disabled is not known; known here: role, is_active, password");
    const firmware = await server.admin("PATCH", "/api/ota/admin/firmware/1", { stable: false });
    expect(firmware.statusCode).to.equal(400);
    expect(firmware.json().message).to.contain("this would change nothing; what can be changed: is_stable");
  });

  it("creates a draft with all defaults, and returns it", async () => {
    const made = await create({
      name: "autumn",
      stages: [{ percent: 10 }, { groups: ["lab"], soak_seconds: 0 }, { percent: 100 }],
    });
    expect(made).to.include({
      id: 1,
      name: "autumn",
      state: "draft",
      reason: "created by local administrator",
      created_by: "local administrator",
      priority: 0,
      force: "none",
      max_concurrent: null,
      lease_seconds: 1800,
      created_at: new Date(START_MS).toISOString(),
      started_at: null,
    });
    expect(made.stages).to.deep.equal([
      {
        name: "10 %",
        percent: 10,
        soak_seconds: 3600,
        min_validated: 1,
        min_validated_fraction: 0.9,
        device_count: 0,
      },
      {
        name: "lab",
        groups: ["lab"],
        soak_seconds: 0,
        min_validated: 1,
        min_validated_fraction: 0.9,
        device_count: 0,
      },
      {
        name: "100 %",
        percent: 100,
        soak_seconds: 3600,
        min_validated: 1,
        min_validated_fraction: 0.9,
        device_count: 0,
      },
    ]);
    expect((await server.admin("GET", "/api/rollouts?state=draft")).json()).to.include({ total: 1 });
    expect((await server.admin("GET", "/api/rollouts?state=running")).json()).to.include({ total: 0 });
  });

  it("refuses what could never work, with a sentence that says why", async () => {
    const cases: readonly (readonly [object, number, RegExp])[] = [
      [{ firmware_id: 9 }, 404, /firmware 9 does not exist/],
      [
        { stages: [{ percent: 50 }, { percent: 20 }] },
        422,
        /stage "20 %" has 20 %, it must exceed the 50 % of the stage before it/,
      ],
      [{ stages: [{ name: "x" }] }, 422, /stage 1 needs either percent or groups/],
      [{ stages: [{ percent: 5, groups: ["a"] }] }, 422, /needs either/],
      [{ stages: [] }, 400, /stages/],
      [{ stages: [{ percent: 101 }] }, 400, /percent/],
      [{ target: { from_version: "one" } }, 422, /"one" is not a version/],
      [{ target: { hardware: ["olimex"] } }, 422, /is for hardware esp32, the target is olimex/],
      [{ target: { tags: ["a,b"] } }, 400, /target.tags.0/],
      [
        { windows: { time_zone: "Mars/Olympus", spans: [{ weekdays: [1], from: "01:00", to: "02:00" }] } },
        422,
        /not a time zone/,
      ],
      [
        { windows: { time_zone: "UTC", spans: [{ weekdays: [1], from: "24:00", to: "02:00" }] } },
        400,
        /from/,
      ],
      [{ start_at: "tomorrow" }, 422, /"tomorrow" is not a time/],
      [{ max_concurrent: 0 }, 400, /max_concurrent/],
      [{ target: { from_version: "2.0.0", to_version: "1.0.0" } }, 422, /from 2\.0\.0 to 1\.0\.0/],
      [{ force: "always" }, 400, /force/],
    ];
    for (const [plan, status, message] of cases) {
      const answer = await post("", { firmware_id: 1, ...plan });
      expect(answer.statusCode, JSON.stringify(plan)).to.equal(status);
      expect(answer.json().message, JSON.stringify(plan)).to.match(message);
    }
    await server.admin("DELETE", "/api/ota/admin/firmware/1");
    expect((await post("", { firmware_id: 1 })).json()).to.include({ error: "FIRMWARE_INACTIVE" });
    expect((await server.admin("GET", "/api/rollouts")).json()).to.include({ total: 0 });
  });

  it("plans without changing anything, and the seed of a plan chooses the same devices", async () => {
    for (let n = 0; n < 40; n++)
      await server.store.putDevice(sampleDevice({ id: `d${`${n}`.padStart(2, "0")}` }));
    await server.store.putDevice(sampleDevice({ id: "other", hardware: "olimex" }));
    const stages = [{ percent: 25 }, { percent: 100 }];
    const plan = (await post("/plan?limit=500", { firmware_id: 1, stages, max_concurrent: 3 })).json();
    expect(plan).to.include({ device_count: 40, excluded_count: 1, bytes: 40 * 90_000 });
    expect(plan.excluded_by).to.deep.equal({ WRONG_HARDWARE: 1 });
    expect(plan.excluded[0]).to.include({ device_id: "other", verdict: "WRONG_HARDWARE" });
    expect(plan.notes.join(" "))
      .to.contain("At most 3 devices update")
      .and.to.contain("is stable: until it has a rollout");
    expect((await server.admin("GET", "/api/rollouts")).json().total).to.equal(0);
    await create({ stages, seed: plan.seed });
    const real = (await server.admin("GET", "/api/rollouts/1/plan?limit=500")).json();
    expect(real.devices).to.deep.equal(plan.devices);
    const paged = (await server.admin("GET", "/api/rollouts/1/plan?limit=10&offset=35")).json();
    expect(paged.devices).to.deep.equal(plan.devices.slice(35));
  });

  it("does not let devices that never install their offer block the others", async () => {
    await create({ max_concurrent: 1, lease_seconds: 600 });
    await post("/1/start");
    const isOffered = async (id: string) => (await server.check({ device_id: id })).json().update_available;
    expect(await isOffered("idle")).to.equal(true);
    expect(await isOffered("other")).to.equal(false);
    for (let minute = 2; minute < 10; minute += 2) {
      server.nowMs += 120_000;
      expect(await isOffered("idle"), "it is still its turn").to.equal(true);
      expect(await isOffered("other")).to.equal(false);
    }
    server.nowMs += 120_000;
    expect(await isOffered("other")).to.equal(true);
    expect(await isOffered("idle")).to.equal(false);
  });

  it("requires another person for the approval", async () => {
    const { access } = await server.addUser("ada", "operator");
    const plan = { firmware_id: 1, needs_approval: true };
    const { id } = (await server.as(access, "POST", "/api/rollouts", plan)).json();
    expect((await as("ada", `/${id}/start`)).json()).to.include({ state: "awaiting_approval" });
    const own = await as("ada", `/${id}/approve`);
    expect(own.statusCode).to.equal(409);
    expect(own.json()).to.include({
      error: "SAME_PERSON",
      message: "ada made rollout 1: another person has to approve it",
    });
    expect((await as("bob", `/${id}/approve`)).json()).to.include({ state: "running", approved_by: "bob" });
  });

  describe("approval by one person with two credentials", () => {
    /** A token of one user, made by another with this access token. */
    const makeToken = async (access: string, user?: string) => {
      const body = { name: "ci", scopes: ["read", "rollouts:write"], ...(user ? { user } : {}) };
      const answer = await server.as(access, "POST", "/api/tokens", body);
      expect(answer.statusCode, answer.body).to.equal(201);
      return answer.json().token as string;
    };
    const submit = async (credential: string) => {
      const plan = { firmware_id: 1, needs_approval: true };
      const { id } = (await server.as(credential, "POST", "/api/rollouts", plan)).json();
      await server.as(credential, "POST", `/api/rollouts/${id}/start`, {});
      return id as number;
    };
    const approve = async (credential: string, id: number) =>
      (await server.as(credential, "POST", `/api/rollouts/${id}/approve`, {})).json();

    it("is refused to whoever made the token that made the rollout, whoever owns it", async () => {
      const ada = await server.addUser("ada", "admin");
      const bob = await server.addUser("bob", "operator");
      const id = await submit(await makeToken(ada.access, "bob"));
      expect(await approve(ada.access, id)).to.include({ error: "SAME_PERSON" });
      expect(await approve(bob.access, id)).to.include({ state: "running", approved_by: "bob" });
    });

    it("is refused to tokens, and to the token of the data folder", async () => {
      const ada = await server.addUser("ada", "admin");
      await server.addUser("bob", "operator");
      const id = await submit(ada.access);
      for (const token of [await makeToken(ada.access, "bob"), await makeToken(ada.access), server.token])
        expect(await approve(token, id)).to.include({ error: "PERSON_REQUIRED" });
      const another = await submit(server.token);
      expect(await approve(server.token, another)).to.include({ error: "PERSON_REQUIRED" });
      expect(await approve(ada.access, another)).to.include({ approved_by: "ada" });
    });

    it("is refused to the owner of a token of before, whose maker is not known", async () => {
      const ada = await server.addUser("ada", "admin");
      const { id: userId } = (await server.store.findUserByName("ada"))!;
      const secret = makeSecret("apiToken");
      const scopes = ["read", "rollouts:write"] as const;
      await server.store.addApiToken({
        userId,
        madeBy: null,
        name: "old",
        hash: hashSecret(secret),
        scopes,
        deviceTypes: null,
        createdAt: 0,
        expiresAt: null,
      });
      expect(await approve(ada.access, await submit(secret))).to.include({ error: "SAME_PERSON" });
    });
  });

  it("changes nothing without the scope", async () => {
    const { id } = await create();
    for (const url of ["", "/plan", `/${id}/start`, `/${id}/cancel`, `/${id}/rollback`]) {
      const answer = await server.app.inject({
        method: "POST",
        url: `/api/rollouts${url}`,
        payload: { firmware_id: 1 },
      });
      expect(answer.statusCode, url).to.equal(401);
    }
    expect((await server.app.inject({ method: "GET", url: "/api/rollouts" })).statusCode).to.equal(401);
    expect(
      (await server.app.inject({ method: "PATCH", url: "/api/devices/d1", payload: { pin: "1.0.0" } }))
        .statusCode,
    ).to.equal(401);
    expect((await post("/99/start")).json()).to.include({ error: "ROLLOUT_UNKNOWN" });
    expect((await server.admin("GET", `/api/rollouts/${id}`)).json()).to.include({ state: "draft" });
  });

  it("accepts a command with a reason, without one, and without a body", async () => {
    const { id } = await create();
    expect((await as("ada", `/${id}/start`)).json()).to.include({
      state: "running",
      reason: "started by ada",
    });
    expect((await post(`/${id}/pause`, { reason: "lunch" })).json()).to.include({
      state: "paused",
      reason: "lunch",
    });
    expect((await post(`/${id}/pause`, { reason: 5 })).statusCode).to.equal(400);
    expect((await post(`/${id}/pause`, { reason: "x".repeat(301) })).statusCode).to.equal(400);
    expect((await post(`/${id}/pause`)).json()).to.include({ error: "STATE_WRONG" });
    expect((await post(`/${id}/cancel`)).json()).to.include({
      state: "cancelled",
      reason: "cancelled by local administrator",
    });
  });

  it("begins at the scheduled time by a check or by a tick", async () => {
    const startAt = new Date(START_MS + 3_600_000).toISOString();
    for (let n = 0; n < 2; n++) {
      const { id } = await create({ start_at: startAt });
      expect((await post(`/${id}/start`)).json()).to.include({
        state: "scheduled",
        reason: `started by local administrator, begins at ${startAt}`,
      });
    }
    await server.check();
    expect((await server.admin("GET", "/api/rollouts?state=running")).json().total).to.equal(0);
    server.nowMs += 3_600_000;
    await server.app.tick();
    expect((await server.admin("GET", "/api/rollouts?state=running")).json().total).to.equal(2);
  });

  it("shows the devices of a rollout and what it waits for, also on each device", async () => {
    const { id } = await create();
    await post(`/${id}/start`);
    const [fine, broken] = [
      new VirtualClient(server.app, "fine"),
      new VirtualClient(server.app, "broken", () => "fail"),
    ];
    for (let n = 0; n < 4; n++) await fine.act();
    await broken.act();
    const shown = (await server.admin("GET", `/api/rollouts/${id}`)).json();
    expect(shown.tallies[0]).to.include({ given: 2, validated: 1, failed: 1, updating: 0 });
    expect(shown.release).to.equal("base 1.1.0");
    expect(shown.next).to.include({ kind: "stay" });
    const failed = (await server.admin("GET", `/api/rollouts/${id}/devices?outcome=failed`)).json();
    expect(failed.total).to.equal(1);
    expect(failed.devices[0]).to.include({
      device_id: "broken",
      error_code: "BODY_TRUNCATED",
      from_version: "1.0.0",
    });
    const device = (await server.admin("GET", "/api/devices/fine")).json();
    expect(device.rollouts[0]).to.include({ rollout_id: id, outcome: "validated" });
  });

  it("does not wait for blocked devices, and shows them as blocked", async () => {
    await server.admin("PATCH", "/api/ota/admin/firmware/1", { is_stable: false });
    const clients = ["fine", "stolen"].map((id) => new VirtualClient(server.app, id));
    for (const client of clients) await client.act();
    await server.admin("POST", "/api/device-identities/change", { device_ids: ["stolen"], action: "block" });
    const { id } = await create({ stages: [{ percent: 100, soak_seconds: 0 }] });
    const plan = (await server.admin("GET", `/api/rollouts/${id}/plan`)).json();
    expect(plan).to.include({ device_count: 1, excluded_count: 1 });
    expect(plan.excluded[0]).to.include({ device_id: "stolen", verdict: "DEVICE_BLOCKED" });
    await post(`/${id}/start`);
    for (let n = 0; n < 5; n++) {
      await clients[0]?.act();
      server.nowMs += 120_000;
      await server.app.tick();
    }
    const shown = (await server.admin("GET", `/api/rollouts/${id}`)).json();
    expect(shown).to.include({ state: "finished", reason: "1 of 1 device validated" });
  });

  it("notifies watchers of every change of a rollout", async () => {
    const url = await server.app.listen({ port: 0 });
    const abort = new AbortController();
    const stream = await fetch(`${url}/api/events/stream`, {
      headers: { authorization: `Bearer ${server.token}` },
      signal: abort.signal,
    });
    const { id } = await create();
    await post(`/${id}/start`);
    const decoder = new TextDecoder();
    let text = "";
    for await (const chunk of stream.body!) {
      text += decoder.decode(chunk as Uint8Array, { stream: true });
      if (/"kind":"rollout.started"/.test(text) && /event: rollout\ndata: .*"state":"running"/.test(text))
        break;
    }
    abort.abort();
    expect(text).to.match(/event: rollout\ndata: \{"id":1,.*"state":"draft"/);
  });
});

describe("the labels of devices", () => {
  let server: TestServer;
  beforeEach(async () => {
    server = await TestServer.open();
    for (const id of ["d1", "d2"]) await server.store.putDevice(sampleDevice({ id }));
  });
  afterEach(() => server.close());
  const patch = (id: string, body: object) => server.admin("PATCH", `/api/devices/${id}`, body);

  it("change on request, stay when the device reports, and are logged", async () => {
    expect(
      (await patch("d1", { tags: ["lab", "beta"], group: "berlin", pin: "1.0.0" })).json(),
    ).to.deep.equal({
      device_id: "d1",
      tags: ["beta", "lab"],
      group: "berlin",
      pin: "1.0.0",
    });
    await patch("d1", { add_tags: ["new"], remove_tags: ["lab"], pin: null });
    await server.check({ device_id: "d1" });
    const { devices } = (await server.admin("GET", "/api/devices?tag=new")).json();
    expect(devices).to.have.length(1);
    expect(devices[0]).to.deep.include({
      device_id: "d1",
      tags: ["beta", "new"],
      group: "berlin",
      pin: null,
    });
    const { events } = (await server.admin("GET", "/api/devices/d1/timeline")).json();
    const labelled = events.filter(({ kind }: { kind: string }) => kind === "device.labelled");
    expect(labelled[0].message).to.equal(
      "d1: tagged new, no longer tagged lab, no longer pinned, by local administrator",
    );
    expect(labelled[0].detail.before.tags).to.deep.equal(["beta", "lab"]);
    expect((await server.admin("GET", "/api/devices/labels")).json()).to.deep.equal({
      tags: [
        { name: "beta", device_count: 1 },
        { name: "new", device_count: 1 },
      ],
      groups: [{ name: "berlin", device_count: 1 }],
    });
  });

  it("are refused if they are invalid", async () => {
    expect((await patch("d1", { pin: "latest" })).json()).to.include({ error: "PIN_INVALID" });
    expect((await patch("nobody", { pin: null })).statusCode).to.equal(404);
    expect((await patch("d1", { tags: [" x"] })).statusCode).to.equal(400);
    expect((await patch("d1", { add_tags: ["grün", "中文 tag"] })).json().tags).to.deep.equal([
      "grün",
      "中文 tag",
    ]);
    const many = Array.from({ length: 31 }, (_, index) => `t${index}`);
    expect((await patch("d1", { add_tags: many })).json()).to.include({ error: "TOO_MANY_TAGS" });
  });

  it("change for many devices at once, with a result for each", async () => {
    const answer = await server.admin("POST", "/api/devices/labels", {
      devices: ["d1", "nobody", "d2", "d1"],
      add_tags: ["lab"],
    });
    expect(answer.json()).to.deep.equal({
      changed: 2,
      failed: 1,
      devices: [
        { device_id: "d1", tags: ["lab"], group: null, pin: null },
        {
          device_id: "nobody",
          error: "DEVICE_UNKNOWN",
          message: "device nobody has never checked for updates here",
        },
        { device_id: "d2", tags: ["lab"], group: null, pin: null },
      ],
    });
  });

  it("answer why a device gets what it gets", async () => {
    await server.store.addFirmware(sampleFirmware());
    await patch("d1", { pin: "1.0.0" });
    const why = (await server.admin("GET", "/api/devices/d1/why")).json();
    expect(why).to.deep.equal({
      device_id: "d1",
      summary: "d1 is offered nothing: the device is pinned to 1.0.0: remove the pin to allow base 1.1.0.",
      offer: null,
      answers: [
        {
          firmware_id: 1,
          version: "1.1.0",
          rollout_id: null,
          verdict: "PINNED",
          sentence: "The device is pinned to 1.0.0: remove the pin to allow base 1.1.0.",
        },
      ],
    });
    expect((await server.admin("GET", "/api/devices/d2/why")).json().summary).to.equal(
      "d2 is offered base 1.1.0 at its next check.",
    );
    expect((await server.admin("GET", "/api/devices/nobody/why")).statusCode).to.equal(404);
  });

  const summaryFor = async (id: string): Promise<string> =>
    (await server.admin("GET", `/api/devices/${id}/why`)).json().summary;

  it("answer why with reasons that a check does not reach", async () => {
    await server.admin("PATCH", "/api/devices/d1", {});
    await server.store.addFirmware(sampleFirmware({ isActive: false }));
    expect(await summaryFor("d1")).to.equal(
      "d1 is offered nothing: base 1.1.0 was deactivated: no device can download it.",
    );
    await server.store.addFirmware(
      sampleFirmware({ version: "1.2.0", release: null, imageSha256: "e".repeat(64) }),
    );
    expect(await summaryFor("d1")).to.contain("base 1.2.0 is not signed, and type base accepts only signed");
    await server.store.addFirmware(
      sampleFirmware({ version: "1.3.0", chip: "esp32c3", hardware: "esp32c3" }),
    );
    await server.store.putDevice(sampleDevice({ id: "d3", version: "1.2.5" }));
    expect(await summaryFor("d3")).to.equal(
      "d3 is offered nothing: base 1.3.0 is for chip esp32c3, the device has esp32.",
    );
    await server.store.putDevice(sampleDevice({ id: "d4", version: "2.0.0" }));
    expect(await summaryFor("d4")).to.contain("is up to date");
  });

  it("counts devices that have joined, soon after they were offered something", async () => {
    await server.store.addFirmware(sampleFirmware());
    await server.admin("POST", "/api/rollouts", { firmware_id: 1, target: { devices: ["joined-1"] } });
    await server.admin("POST", "/api/rollouts/1/start");
    const progress = async () => (await server.admin("GET", "/api/rollouts/1")).json();
    expect((await progress()).next.reason).to.equal("no device fits the target yet");
    await server.check({ device_id: "joined-1" });
    server.nowMs += 60_000;
    await server.check({ device_id: "joined-1" });
    const { stages, next } = await progress();
    expect(stages[0].device_count).to.equal(1);
    expect(next.reason).to.contain("0 of 1 device validated");
  });

  it("answer why with the intermediate release that a rollout keeps for others", async () => {
    await server.store.addFirmware(sampleFirmware());
    await server.store.addFirmware(
      sampleFirmware({ version: "2.0.0", minCurrentVersion: "1.1.0", imageSha256: "e".repeat(64) }),
    );
    await server.admin("POST", "/api/rollouts", { firmware_id: 1 });
    await server.admin("POST", "/api/rollouts/1/cancel");
    expect((await server.admin("GET", "/api/devices/d1/why")).json().answers[0].sentence).to.equal(
      "base 2.0.0 needs 1.1.0 or newer before it, the device runs 1.0.0, and base 1.1.0, which leads there, is offered to no device since its " +
        "rollouts were cancelled: make another one, or upload another intermediate release.",
    );
    await server.admin("POST", "/api/rollouts", { firmware_id: 1 });
    expect((await server.admin("GET", "/api/devices/d1/why")).json().answers[0].sentence).to.equal(
      "base 2.0.0 needs 1.1.0 or newer before it, the device runs 1.0.0, and base 1.1.0, which leads there, is kept for the devices of " +
        "its rollouts until one of them is finished: let one finish, or upload another intermediate release.",
    );
  });

  it("answer why with the intermediate release that is not marked stable", async () => {
    await server.store.addFirmware(sampleFirmware({ isStable: false }));
    await server.store.addFirmware(
      sampleFirmware({ version: "2.0.0", minCurrentVersion: "1.1.0", imageSha256: "e".repeat(64) }),
    );
    expect((await server.admin("GET", "/api/devices/d1/why")).json().summary).to.equal(
      "d1 is offered nothing: base 2.0.0 needs 1.1.0 or newer before it, the device runs 1.0.0, and base 1.1.0, which leads there, is not " +
        "marked stable: mark it, so that it can be an intermediate release.",
    );
  });

  it("answer why a stable release is not offered after its rollouts were cancelled, forced ones too", async () => {
    await server.store.addFirmware(sampleFirmware());
    await server.store.addFirmware(sampleFirmware({ version: "0.9.0", imageSha256: "e".repeat(64) }));
    for (const body of [{ firmware_id: 1 }, { firmware_id: 2, force: "any_order" }]) {
      const { id } = (await server.admin("POST", "/api/rollouts", body)).json();
      await server.admin("POST", `/api/rollouts/${id}/cancel`, { reason: "wrong image" });
    }
    await server.store.putDevice(sampleDevice({ id: "d1", slotState: "valid" }));
    expect((await server.admin("GET", "/api/devices/d1/why")).json().summary).to.equal(
      'd1 is offered nothing: rollout 1 "base 1.1.0" for base 1.1.0 was cancelled: wrong image. Only rollouts offer a release that ' +
        "has had any, stable or not: make another one.",
    );
  });

  it("answer why a blocked device and one that waits for its approval are offered nothing", async () => {
    await server.store.addFirmware(sampleFirmware());
    await server.admin("PUT", "/api/registration/base", { registration: "approval", tokens: "optional" });
    await server.check({ device_id: "d5" });
    expect(await summaryFor("d5")).to.equal("d5 is offered nothing: it is awaiting approval.");
    await server.admin("POST", "/api/device-identities/change", { device_ids: ["d5"], action: "block" });
    const blocked = (await server.admin("GET", "/api/devices/d5/why")).json();
    expect(blocked.summary).to.contain(
      "d5 is offered nothing: it is blocked, and all its requests are refused",
    );
    expect(blocked.offer).to.equal(null);
    expect(blocked.answers[0].sentence).to.equal(
      "base 1.1.0 is withheld because the device is blocked: approve it to let it in again.",
    );
  });

  it("answer why with the rollout that runs, not with one that was cancelled before it", async () => {
    await server.store.addFirmware(sampleFirmware());
    await server.store.addFirmware(
      sampleFirmware({ version: "3.0.0", isStable: false, imageSha256: "f".repeat(64) }),
    );
    for (const id of [1, 2]) {
      await server.admin("POST", "/api/rollouts", { firmware_id: 1 });
      await server.admin("POST", `/api/rollouts/${id}/start`);
      await server.admin("POST", `/api/rollouts/${id}/${id === 1 ? "cancel" : "pause"}`, { reason: "lunch" });
    }
    expect(await summaryFor("d1")).to.match(/^d1 is offered nothing: rollout 2 .* is paused: lunch\.$/);
  });
});

describe("how attempts ended", () => {
  it("distinguishes failures from attempts that the server ended", async () => {
    const server = await TestServer.open();
    await server.store.addFirmware(sampleFirmware());
    await server.check();
    await server.store.addFirmware(sampleFirmware({ version: "1.2.0" }));
    await server.check();
    await server.admin("DELETE", "/api/ota/admin/firmware/1");
    await server.admin("DELETE", "/api/ota/admin/firmware/2");
    await server.check();
    const { logs } = (await server.admin("GET", "/api/ota/admin/logs")).json();
    expect(logs.map(({ outcome }: { outcome: string }) => outcome)).to.deep.equal([
      "withdrawn",
      "superseded",
    ]);
    expect(await server.store.countFailures("base-010203")).to.deep.equal([]);
    const { events } = (await server.admin("GET", "/api/events")).json();
    expect(events.map(({ kind }: { kind: string }) => kind))
      .to.include("update.superseded")
      .and.not.include("update.failed");
    await server.close();
  });
});
