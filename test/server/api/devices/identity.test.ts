import { expect } from "chai";
import type { CheckRequest } from "../../../../firmware/core/wire.js";
import { statusOf } from "../../../../server/shared/device-status.js";
import { time } from "../../../../server/shared/iso-time.js";
import { makeRelease, START_MS, TestServer } from "../../test-server.js";

const ID = "base-010203";

describe("a device's token", () => {
  let server: TestServer;
  beforeEach(async () => {
    server = await TestServer.open({ deviceRate: undefined });
  });
  afterEach(() => server.close());

  /** A check as by firmware that keeps tokens. */
  const check = (token?: string, body: Partial<CheckRequest> = {}) =>
    server.check({ keeps_token: true, ...body }, token);
  const given = async (token?: string): Promise<string> => (await check(token)).json().device_token;
  const code = async (answer: ReturnType<typeof check>) => (await answer).json().error;
  const change = (action: string, ...device_ids: string[]) =>
    server.admin("POST", "/api/device-identities/change", { device_ids, action });
  const view = async () => (await server.admin("GET", `/api/devices/${ID}`)).json();

  it("is given with a check to firmware that keeps it, and to no other", async () => {
    expect((await server.check()).json()).not.to.have.property("device_token");
    expect(await given()).to.match(/^skd_[\w-]{43}$/);
  });

  it("is mandatory from its first use on, for everything that the device does", async () => {
    await server.upload(await makeRelease("1.1.0"));
    const token = await given();
    expect((await server.check()).statusCode).to.equal(200);
    expect((await view()).uses_token).to.equal(false);
    expect((await check(token)).json()).not.to.have.property("device_token");
    expect((await view()).uses_token).to.equal(true);
    expect(await code(check())).to.equal("DEVICE_TOKEN_REQUIRED");
    expect(await code(check("skd_wrong"))).to.equal("DEVICE_TOKEN_WRONG");
    expect(await code(check("ska_wrong"))).to.equal("DEVICE_TOKEN_WRONG");
    expect(await code(server.status({ status: "downloading" }))).to.equal("DEVICE_TOKEN_REQUIRED");
    expect((await server.status({ status: "downloading" }, token)).statusCode).to.equal(200);
    const heartbeat = { method: "POST", url: `/api/devices/${ID}/heartbeat`, payload: {} } as const;
    expect((await server.app.inject(heartbeat)).statusCode).to.equal(401);
    expect(
      (await server.app.inject({ ...heartbeat, headers: { authorization: `Bearer ${token}` } })).statusCode,
    ).to.equal(200);
    const register = { method: "POST", url: "/api/devices/register", payload: CHECK } as const;
    expect((await server.app.inject(register)).statusCode).to.equal(401);
  });

  it("is also mandatory for a client that claims another type, such as one that needs none", async () => {
    await server.admin("PUT", "/api/types/old", { kind: "legacy" });
    const token = await given();
    await check(token);
    expect(await code(check(undefined, { device_type: "old" }))).to.equal("DEVICE_TOKEN_REQUIRED");
    expect(
      (await server.check({ device_id: "old-1", device_type: "old", keeps_token: true })).json(),
    ).not.to.have.property("device_token");
  });

  it("may be lost on its way: the device gets another, and the first that it uses counts", async () => {
    const [lost, received] = [await given(), await given()];
    expect(await given(received)).to.equal(undefined);
    expect(await code(check(lost))).to.equal("DEVICE_TOKEN_WRONG");
    expect((await check(received)).statusCode).to.equal(200);
  });

  it("is reported when a device that was served without one begins to use one, from where", async () => {
    const claims = async () => (await server.admin("GET", "/api/events?kind=device.claimed")).json().events;
    const later = () => {
      server.nowMs += 60_000;
    };
    const claim = async (first: string, body: Partial<CheckRequest> = {}) => {
      later();
      const token = (await check(undefined, { device_id: first, ...body })).json().device_token;
      later();
      await check(token, { device_id: first, ...body });
      return token;
    };
    await claim("new-1");
    expect(await claims(), "a new device").to.deep.equal([]);
    await server.check({ device_id: "old-1" });
    await claim("old-1");
    expect((await claims())[0]).to.deep.include({ device_id: "old-1", kind: "device.claimed" });
    expect((await claims())[0].detail.address).to.equal("127.0.0.1");
    expect((await claims())[0].message).to.contain("127.0.0.1");
    expect((await server.check({ device_id: "old-1" })).statusCode, "the device itself").to.equal(401);
    const { events } = (await server.admin("GET", "/api/devices/old-1/timeline")).json();
    expect(events.map(({ kind }: { kind: string }) => kind)).to.include.members([
      "device.claimed",
      "device.refused",
    ]);
    // Its first use may be any request.
    await server.check({ device_id: "old-2" });
    later();
    const token = (await check(undefined, { device_id: "old-2" })).json().device_token;
    await server.app.inject({
      method: "POST",
      url: "/api/devices/old-2/heartbeat",
      payload: {},
      headers: { authorization: `Bearer ${token}` },
      remoteAddress: "192.0.2.9",
    });
    expect((await claims())[0].detail.address).to.equal("192.0.2.9");
    await change("forget-token", "new-1");
    await claim("new-1");
    expect(
      (await claims()).map((event: { device_id: string }) => event.device_id),
      "after its token was forgotten",
    ).to.deep.equal(["new-1", "old-2", "old-1"]);
    await change("rotate-token", "new-1");
    await claim("new-1");
    expect(await claims(), "a renewed one").to.have.length(3);
  });

  it("cannot be obtained by a client that repeats its check", async () => {
    const token = await given();
    await check(token);
    for (let i = 0; i < 10; i++) expect((await check()).statusCode).to.equal(401);
    expect((await check(token)).statusCode).to.equal(200);
  });

  it("does not lock out a device whose unused token was displaced by others' checks", async () => {
    const token = await given();
    for (let i = 0; i < 10; i++) await given();
    const next = await given(token);
    expect(next).to.match(/^skd_/);
    expect((await check(next)).statusCode).to.equal(200);
  });

  it("is changed on an operator's request, with the old one valid until the new one is used", async () => {
    const old = await given();
    await check(old);
    await change("rotate-token", ID);
    const lost = await given(old);
    const next = await given(old);
    expect([lost, next].every((token) => token.startsWith("skd_"))).to.equal(true);
    expect((await check(old)).statusCode).to.equal(200);
    expect(await given(next)).to.equal(undefined);
    expect(await code(check(old))).to.equal("DEVICE_TOKEN_WRONG");
    expect((await check(next)).json()).not.to.have.property("device_token");
  });

  it("can be reset for a device that has lost it", async () => {
    await check(await given());
    expect((await check()).json()).to.deep.include({
      error: "DEVICE_TOKEN_REQUIRED",
      message: `device ${ID} has a token and came without it; if it was flashed again, reset its token here: on its page, or by skyslot registration forget-token ${ID}`,
    });
    await change("forget-token", ID);
    expect((await check(await given())).statusCode).to.equal(200);
  });

  it("that is refused is logged, but not a thousand times", async () => {
    await check(await given());
    for (let i = 0; i < 5; i++) await check();
    const refused = async () => (await server.admin("GET", "/api/events?kind=device.refused")).json().events;
    expect(await refused()).to.have.length(1);
    expect((await refused())[0]).to.deep.include({
      device_id: ID,
      detail: { error_code: "DEVICE_TOKEN_REQUIRED" },
    });
    server.nowMs += 3_600_000;
    await check();
    expect(await refused()).to.have.length(2);
  });

  it("is logged once an hour for all unknown devices together", async () => {
    await server.admin("PUT", "/api/registration/*", { registration: "enrolment", tokens: "first-use" });
    for (let i = 0; i < 5; i++)
      expect((await server.check({ device_id: `new-${i}` })).statusCode).to.equal(401);
    expect((await server.admin("GET", "/api/events?kind=device.refused")).json().events).to.have.length(1);
  });

  it("is used by a report too", async () => {
    await server.upload(await makeRelease("1.1.0"));
    const token = await given();
    expect((await server.status({ status: "downloading" }, token)).statusCode).to.equal(200);
    expect(await code(server.status({ status: "downloading" }))).to.equal("DEVICE_TOKEN_REQUIRED");
    expect((await view()).uses_token).to.equal(true);
  });

  it("may be issued after the device was flashed as another type", async () => {
    await server.admin("PUT", "/api/types/old", { kind: "legacy" });
    expect((await check(undefined, { device_type: "old" })).json()).not.to.have.property("device_token");
    const token = await given();
    expect(token).to.match(/^skd_/);
    expect((await check(token)).statusCode).to.equal(200);
  });

  it("is not stored in clear", async () => {
    const token = await given();
    await check(token);
    await change("rotate-token", ID);
    const stored = [
      await server.store.findIdentity(ID),
      await server.store.listEvents({ limit: 100 }),
      await server.store.listAudit({ limit: 100 }),
      await view(),
    ];
    expect(JSON.stringify(stored)).not.to.contain(token.slice(4));
  });

  it("is never required or issued where the policy says optional, and always required where it says required", async () => {
    await server.admin("PUT", "/api/registration/base", { registration: "open", tokens: "optional" });
    expect(await given()).to.equal(undefined);
    await server.admin("PUT", "/api/registration/base", { registration: "open", tokens: "required" });
    expect(await code(server.check())).to.equal("DEVICE_TOKEN_REQUIRED");
    const token = await given();
    expect((await check(token)).statusCode).to.equal(200);
    expect(await code(check())).to.equal("DEVICE_TOKEN_REQUIRED");
    await server.admin("DELETE", "/api/registration/base");
    expect((await server.admin("GET", "/api/registration")).json()).to.deep.equal({
      default: { device_type: "*", registration: "open", tokens: "first-use" },
      policies: [],
      unvouched: [{ device_type: "base", device_count: 1 }],
    });
  });
});

describe("registration", () => {
  let server: TestServer;
  beforeEach(async () => {
    server = await TestServer.open();
    await server.upload(await makeRelease("1.1.0"));
  });
  afterEach(() => server.close());
  const policy = (registration: string, tokens = "first-use") =>
    server.admin("PUT", "/api/registration/*", { registration, tokens });
  const change = async (action: string, device_ids: string[], token = server.token) =>
    (await server.as(token, "POST", "/api/device-identities/change", { device_ids, action })).json().results;

  it("offers nothing to a device that waits for its approval, though it is seen", async () => {
    await policy("approval");
    expect((await server.check()).json()).to.include({ update_available: false });
    const { devices } = (await server.admin("GET", "/api/device-identities?state=pending")).json();
    expect(devices.map((device: { device_id: string }) => device.device_id)).to.deep.equal([ID]);
    expect((await server.admin("GET", `/api/devices/${ID}`)).json()).to.include({
      state: "pending",
      status: "online",
    });
    const token = (await server.check({ keeps_token: true })).json().device_token;
    await change("approve", [ID]);
    expect((await server.check({}, token)).json()).to.include({ update_available: true });
    await change("block", [ID]);
    expect((await server.check({}, token)).json().error).to.equal("DEVICE_BLOCKED");
  });

  it("refuses a client that only knows the name of an approved device", async () => {
    await server.admin("PUT", "/api/types/base", { kind: "legacy" });
    await policy("approval");
    await server.check();
    await change("approve", [ID]);
    const answers = [
      await server.check(),
      await server.check({ keeps_token: true }),
      await server.check({}, `skd_${"A".repeat(43)}`),
      await server.app.inject({ method: "POST", url: `/api/devices/${ID}/heartbeat`, payload: {} }),
      await server.status({ status: "downloading" }),
    ];
    expect(answers.map((answer) => answer.statusCode)).to.deep.equal([401, 401, 401, 401, 401]);
    const { token } = (await server.admin("POST", `/api/device-identities/${ID}/token`, {})).json();
    expect((await server.check({}, token)).statusCode).to.equal(200);
  });

  it("keeps devices that were registered before, if they have the credentials of their type", async () => {
    await server.check();
    const token = (await server.check({ device_id: "base-2", keeps_token: true })).json().device_token;
    await policy("enrolment");
    expect((await server.check({ device_id: "base-2" }, token)).json()).to.include({
      update_available: true,
    });
    expect((await server.check()).json().error).to.equal("DEVICE_TOKEN_REQUIRED");
    const enrolment = await server.admin("POST", "/api/enrolment-tokens", { name: "batch" });
    expect((await server.check({}, enrolment.json().token)).json()).to.include({ update_available: true });
    expect((await server.check({ device_id: "base-9" })).json().error).to.equal("ENROLMENT_REQUIRED");
  });

  it("accepts no report without a token about a device that registered with the token of its type alone", async () => {
    await policy("enrolment", "optional");
    const { token } = (await server.admin("POST", "/api/enrolment-tokens", { name: "batch" })).json();
    expect((await server.check({}, token)).json()).to.include({ update_available: true });
    const report = { status: "failed", error_code: "X" } as const;
    for (const shown of [undefined, "ske_wrong", `skd_${"A".repeat(43)}`])
      expect((await server.status(report, shown)).statusCode, shown).to.equal(401);
    expect(await server.lastAttempt()).to.include({ status: "pending" });
    expect((await server.status({ status: "downloading" }, token)).statusCode).to.equal(200);
  });

  it("by enrolment accepts devices with a valid token, and issues each its own", async () => {
    await policy("enrolment");
    const make = async (body: object) =>
      (await server.admin("POST", "/api/enrolment-tokens", { name: "batch", ...body })).json();
    const { token, id } = await make({ max_use_count: 1 });
    const enrol = (device_id: string, credential: string) =>
      server.check({ device_id, keeps_token: true }, credential);
    const first = (await enrol("base-1", token)).json();
    expect(first.device_token).to.match(/^skd_/);
    expect((await enrol("base-2", token)).json().message).to.contain("used 1 times already");
    // the answer was lost: the same device may come again with the token that brought it in
    const again = (await enrol("base-1", token)).json().device_token;
    expect(again).to.match(/^skd_/);
    // a client that only knows the device's name gets no token and no service
    expect((await server.check({ device_id: "base-1", keeps_token: true })).json().error).to.equal(
      "DEVICE_TOKEN_REQUIRED",
    );
    expect((await enrol("base-1", again)).statusCode).to.equal(200);
    expect((await enrol("base-1", token)).json().error).to.equal("DEVICE_TOKEN_WRONG");

    const led = await make({ device_type: "led" });
    expect((await enrol("base-3", led.token)).statusCode).to.equal(401);
    const short = await make({ expires_in_days: 1 });
    server.nowMs += 86_400_000;
    expect((await enrol("base-3", short.token)).statusCode).to.equal(401);
    const many = await make({});
    expect((await enrol("base-4", many.token)).statusCode).to.equal(200);
    await server.admin("DELETE", `/api/enrolment-tokens/${many.id}`);
    expect((await enrol("base-5", many.token)).statusCode).to.equal(401);
    const listed = await server.admin("GET", "/api/enrolment-tokens");
    expect(listed.body).not.to.contain(token.slice(4));
    expect(listed.json().enrolment_tokens.find((each: { id: number }) => each.id === id)).to.include({
      use_count: 1,
    });
    expect(await server.store.findDevice("base-2")).to.equal(undefined);
  });

  describe("of a device that claims another type now", () => {
    const typePolicy = (type: string, registration: string, tokens = "first-use") =>
      server.admin("PUT", `/api/registration/${type}`, { registration, tokens });
    const enrolmentFor = async (device_type?: string, fields: object = {}): Promise<string> =>
      (
        await server.admin("POST", "/api/enrolment-tokens", {
          name: "batch",
          ...(device_type ? { device_type } : {}),
          ...fields,
        })
      ).json().token;
    const stateOf = async () => {
      const identity = await server.store.findIdentity(ID);
      return [identity?.deviceType, identity?.state];
    };
    /** A device of an open type, with the token that anyone gets there. */
    const openDevice = async (): Promise<string> => {
      const token = (await server.check({ device_type: "toy", keeps_token: true })).json().device_token;
      await server.check({ device_type: "toy" }, token);
      return token;
    };

    for (const registration of ["enrolment", "approval"])
      it(`opens no type that is closed (${registration}) to the token of an open one`, async () => {
        await typePolicy("base", registration);
        const token = await openDevice();
        expect((await server.check({}, token)).json()).to.include({ update_available: false });
        expect(await stateOf()).to.deep.equal(["base", "pending"]);
        const url = `/api/ota/download/1?device=${ID}`;
        const headers = { authorization: `Bearer ${token}` };
        expect((await server.app.inject({ url, headers })).json().error).to.equal("DEVICE_PENDING");
        await change("approve", [ID]);
        expect((await server.check({}, token)).json()).to.include({ update_available: true });
        expect((await server.check({ device_type: "toy" }, token)).statusCode).to.equal(200);
        expect(await stateOf(), "no approval is needed there").to.deep.equal(["toy", "approved"]);
      });

    it("opens none to one without a token that is registered in another type", async () => {
      await server.check({ device_type: "toy" });
      await typePolicy("base", "enrolment");
      expect((await server.check()).json().error).to.equal("ENROLMENT_REQUIRED");
      expect((await server.check({ keeps_token: true })).statusCode).to.equal(401);
      const used = await enrolmentFor("base", { max_use_count: 1 });
      await server.check({ device_id: "base-9" }, used);
      expect((await server.check({}, used)).json().message).to.contain("used 1 times already");
      await typePolicy("base", "approval");
      expect((await server.check({ keeps_token: true })).json()).to.include({ update_available: false });
      expect(await stateOf()).to.deep.equal(["base", "pending"]);
    });

    it("moves no device out of a closed type for a client that only knows its name", async () => {
      await typePolicy("base", "enrolment", "optional");
      const enrolment = await enrolmentFor("base");
      await server.check({}, enrolment);
      expect((await server.check({ device_type: "toy" })).json().error).to.equal("DEVICE_TOKEN_REQUIRED");
      expect((await server.status({ status: "failed", error_code: "X" })).statusCode).to.equal(401);
      expect(await stateOf()).to.deep.equal(["base", "approved"]);
      expect((await server.check({ device_type: "toy" }, enrolment)).statusCode).to.equal(200);
      expect(await stateOf()).to.deep.equal(["toy", "approved"]);
      expect((await server.check({}, enrolment)).json()).to.include({ update_available: true });
    });

    it("does not bypass a token that it has used where tokens are optional", async () => {
      await typePolicy("toy", "open", "optional");
      const made = await server.admin("POST", `/api/device-identities/${ID}/token`, { device_type: "toy" });
      expect((await server.check({ device_type: "toy" })).statusCode).to.equal(200);
      await typePolicy("base", "enrolment");
      expect((await server.check()).json().error).to.equal("DEVICE_TOKEN_REQUIRED");
      expect((await server.check({}, made.json().token)).json()).to.include({ update_available: false });
    });
  });

  it("is decided for many devices at once, each separately", async () => {
    await policy("approval");
    for (const [device_id, device_type] of [
      ["base-1", "base"],
      ["led-1", "led"],
    ] as const)
      await server.check({ device_id, device_type });
    await server.addUser("ada", "operator");
    const { token } = (
      await server.admin("POST", "/api/tokens", {
        name: "x",
        user: "ada",
        scopes: ["devices:write"],
        device_types: ["led"],
      })
    ).json();
    const results = await change("approve", ["base-1", "led-1", "none"], token);
    expect(results.map((each: { error?: string; state?: string }) => each.error ?? each.state)).to.deep.equal(
      ["FORBIDDEN", "approved", "DEVICE_UNKNOWN"],
    );
    expect((await server.store.findIdentity("base-1"))?.state).to.equal("pending");
    const [entry] = (await server.admin("GET", "/api/audit?subject=device")).json().entries;
    expect(entry).to.deep.include({
      action: "device.approve",
      subject: "device/led-1",
      before: { state: "pending", vouched_how: null, vouched_by: null, vouched_at: null },
      after: {
        state: "approved",
        vouched_how: "approval",
        vouched_by: "local administrator",
        vouched_at: time(START_MS),
      },
    });
    const enrolment = await server.as(token, "POST", "/api/enrolment-tokens", { name: "all" });
    expect(enrolment.statusCode).to.equal(403);
  });
});

describe("a device's status", () => {
  const MINUTE_MS = 60_000;
  const USUAL_MS = 5 * MINUTE_MS;

  it("is evaluated by its own interval", () => {
    const daily = 86_400;
    expect(statusOf(30 * 3_600_000, daily, USUAL_MS)).to.equal("online");
    expect(statusOf(48 * 3_600_000, daily, USUAL_MS)).to.equal("late");
    expect(statusOf(97 * 3_600_000, daily, USUAL_MS)).to.equal("offline");
    expect(statusOf(3 * MINUTE_MS, 120, USUAL_MS)).to.equal("online");
    expect(statusOf(5 * MINUTE_MS, 120, USUAL_MS)).to.equal("late");
    expect(statusOf(9 * MINUTE_MS, 120, USUAL_MS)).to.equal("offline");
    expect(statusOf(4 * MINUTE_MS, null, USUAL_MS)).to.equal("online");
    expect(statusOf(14 * MINUTE_MS, undefined, USUAL_MS)).to.equal("late");
    expect(statusOf(15 * MINUTE_MS, undefined, USUAL_MS)).to.equal("offline");
  });

  it("is returned with the device, which reports its check interval", async () => {
    const server = await TestServer.open();
    await server.check({ check_seconds: 3600 });
    server.nowMs += 80 * MINUTE_MS;
    const { devices } = (await server.admin("GET", "/api/devices")).json();
    expect(devices[0]).to.include({
      status: "online",
      online: true,
      interval_seconds: 3600,
      state: "approved",
    });
    server.nowMs += 60 * MINUTE_MS;
    expect((await server.admin("GET", `/api/devices/${ID}`)).json()).to.include({
      status: "late",
      online: false,
    });
    await server.close();
  });
});

const CHECK: CheckRequest = {
  device_id: ID,
  device_type: "base",
  current_version: "1.0.0",
  current_build: 0,
};
