// Orders to a device, as an operator creates them and as the device fetches and answers them.

import { expect } from "chai";
import {
  type CheckRequest,
  MAX_CHECK_RESPONSE_BYTES,
  MAX_ORDER_COUNT,
  type Order,
  type OrderResult,
} from "../../../../firmware/core/wire.js";
import { type MadeRelease, makeRelease, START_MS, TestServer } from "../../test-server.js";

const ID = "base-010203";
const DAY_MS = 24 * 3_600_000;

describe("orders to a device", () => {
  let server: TestServer;
  let token: string;
  beforeEach(async () => {
    server = await TestServer.open({ deviceRate: undefined });
    token = await enrol(ID);
  });
  afterEach(() => server.close());

  /** A device that has used its token. */
  async function enrol(device_id: string, device_type = "base"): Promise<string> {
    const about = { device_id, device_type, keeps_token: true };
    const given = (await server.check(about)).json().device_token as string;
    await server.check(about, given);
    return given;
  }
  const give = (order: object, id = ID) => server.admin("POST", `/api/devices/${id}/orders`, order);
  const idOf = async (order: object): Promise<number> => (await give(order)).json().id;
  const fetched = async (body: Partial<CheckRequest> = {}, shown: string | undefined = token) =>
    (await server.check({ keeps_token: true, ...body }, shown)).json().orders as Order[] | undefined;
  const answer = (...order_results: OrderResult[]) => fetched({ order_results });
  const listed = async () => (await server.admin("GET", `/api/devices/${ID}/orders`)).json().orders;
  const last = async () => (await listed())[0];
  const logged = async (kind: string): Promise<string[]> => {
    const { events } = (await server.admin("GET", `/api/devices/${ID}/timeline?limit=50`)).json();
    return events
      .filter((event: { kind: string }) => event.kind === `order.${kind}`)
      .map(({ message }: { message: string }) => message);
  };
  const error = async (request: ReturnType<typeof give>) => {
    const response = await request;
    return `${response.statusCode} ${response.json().error}`;
  };

  it("wait for the next check where they have no room beside an offer", async () => {
    const settings = Object.fromEntries([1, 2, 3, 4, 5].map((n) => [`name${n}`, "x".repeat(180)]));
    const ids: number[] = [];
    for (let n = 0; n < MAX_ORDER_COUNT; n++) ids.push(await idOf({ kind: "settings", settings }));
    const offer = async (made: MadeRelease) => {
      await server.upload(made);
      const answer = await server.check({ keeps_token: true }, token);
      expect(answer.body.length).to.be.at.most(MAX_CHECK_RESPONSE_BYTES);
      const { update_available, orders = [] } = answer.json();
      expect(update_available).to.equal(true);
      return orders.map(({ id }: Order) => id);
    };
    // 85 chunks: nearly the longest manifest of format 1
    const listing = { format: 1, chunkBytes: 4096, image: { bundle: "x".repeat(4096 * 83) } } as const;
    expect(await offer(await makeRelease("1.1.0", listing))).to.deep.equal([]);
    expect((await listed()).map(({ sent_at }: { sent_at: string | null }) => sent_at)).to.deep.equal(
      ids.map(() => null),
    );
    expect(await offer(await makeRelease("1.2.0"))).to.deep.equal(ids);
  });

  it("are in every answer until the device reports their result", async () => {
    const given = await give({ kind: "settings", settings: { brightness: 40, pattern: "rainbow" } });
    expect(given.statusCode).to.equal(201);
    const { id } = given.json();
    expect(id).to.equal(START_MS / 1000);
    const order = { id, kind: "settings", settings: { brightness: 40, pattern: "rainbow" } };
    expect(await fetched(), "the first answer is lost").to.deep.equal([order]);
    server.nowMs += 1000;
    expect(await fetched()).to.deep.equal([order]);
    expect(await last()).to.deep.include({ state: "pending", sent_at: new Date(START_MS).toISOString() });
    server.nowMs += 1000;
    expect(await answer({ id, result: "done" })).to.equal(undefined);
    expect(await answer({ id, result: "done" }), "the acknowledgement's answer is lost").to.equal(undefined);
    expect(await last()).to.include({ state: "done", ended_at: new Date(START_MS + 2000).toISOString() });
    expect(await logged("given")).to.deep.equal([
      `${(await last()).ordered_by} orders ${ID} to set brightness to 40, pattern to rainbow`,
    ]);
    expect(await logged("done")).to.deep.equal([
      `${ID} has carried out the order to set brightness to 40, pattern to rainbow`,
    ]);
  });

  it("carry switches and decimal numbers as what they are", async () => {
    const settings = { isOn: true, gain: -1.5, name: "true" };
    const id = await idOf({ kind: "settings", settings });
    expect(await fetched()).to.deep.equal([{ id, kind: "settings", settings }]);
  });

  it("come beside an update, oldest first", async () => {
    await server.upload(await makeRelease("1.1.0"));
    const ids = [await idOf({ kind: "identify" }), await idOf({ kind: "restart" })];
    const response = (await server.check({ keeps_token: true }, token)).json();
    expect(response.update_available).to.equal(true);
    expect(response.orders.map(({ id }: Order) => id)).to.deep.equal(ids);
  });

  it("that a device refuses end with its reason", async () => {
    const id = await idOf({ kind: "identify" });
    await fetched();
    await answer({ id, result: "refused", reason: "no light" });
    expect(await last()).to.include({ state: "refused", reason: "no light" });
    expect(await logged("refused")).to.deep.equal([
      `${ID} refuses the order to show which one it is: no light`,
    ]);
    expect(await answer({ id, result: "done" }), "what it said stays").to.equal(undefined);
    expect(await last()).to.include({ state: "refused" });
  });

  it("are sent to the device only, and only it can answer", async () => {
    const id = await idOf({ kind: "restart" });
    expect(
      (await server.check({ keeps_token: true, order_results: [{ id, result: "done" }] })).statusCode,
    ).to.equal(401);
    await server.admin("PUT", "/api/registration/base", { registration: "open", tokens: "optional" });
    const stranger = await server.check({ keeps_token: true, order_results: [{ id, result: "done" }] });
    expect(stranger.statusCode).to.equal(200);
    expect(stranger.json()).not.to.have.property("orders");
    const other = await enrol("base-0000ff");
    await server.check({ device_id: "base-0000ff", order_results: [{ id, result: "done" }] }, other);
    expect(await last()).to.include({ state: "pending", sent_at: null });
    expect(await fetched()).to.have.length(1);
  });

  it("cannot be given to devices that have no token, are not approved, or do not support them", async () => {
    const restart = { kind: "restart" };
    expect(await error(give(restart, "base-0000ff"))).to.equal("404 DEVICE_UNKNOWN");
    await server.check({ device_id: "base-0000ff" });
    expect(await error(give(restart, "base-0000ff"))).to.equal("409 DEVICE_HAS_NO_TOKEN");
    await server.admin("POST", "/api/device-identities/change", { device_ids: [ID], action: "block" });
    expect(await error(give(restart))).to.equal("409 DEVICE_NOT_APPROVED");
    await server.admin("POST", "/api/device-identities/change", { device_ids: [ID], action: "approve" });
    await server.admin("PUT", "/api/types/base", { kind: "legacy" });
    expect(await error(give(restart))).to.equal("409 DEVICE_IS_LEGACY");
    expect(await listed()).to.deep.equal([]);
  });

  it("that no device would accept are refused at once", async () => {
    for (const [order, refusal] of [
      [{ kind: "dance" }, "400 INVALID_REQUEST"],
      [{ kind: "settings" }, "422 SETTINGS_MISSING"],
      [{ kind: "settings", settings: {} }, "400 INVALID_REQUEST"],
      [{ kind: "settings", settings: { "push.token": "x" } }, "400 INVALID_REQUEST"],
      [{ kind: "settings", settings: { speed: [1] } }, "400 INVALID_REQUEST"],
      [{ kind: "settings", settings: { speed: null } }, "400 INVALID_REQUEST"],
      [{ kind: "settings", settings: { name: { a: 1 } } }, "400 INVALID_REQUEST"],
      [{ kind: "settings", settings: { name: "x".repeat(990) } }, "422 SETTINGS_TOO_LONG"],
      [{ kind: "settings", settings: { name: "灯".repeat(330) } }, "422 SETTINGS_TOO_LONG"],
      [{ kind: "settings", settings: { server: "http://evil.test" } }, "422 SETTING_IS_OWNERS"],
      [{ kind: "settings", settings: { acceptUnsigned: 1 } }, "422 SETTING_IS_OWNERS"],
      [{ kind: "restart", settings: { a: 1 } }, "422 SETTINGS_UNWANTED"],
    ] as const)
      expect(await error(give(order)), JSON.stringify(order)).to.equal(refusal);
    const many = Object.fromEntries(Array.from({ length: 17 }, (_, n) => [`s${n}`, n]));
    expect(await error(give({ kind: "settings", settings: many }))).to.equal("400 INVALID_REQUEST");
    expect(await listed()).to.deep.equal([]);
  });

  it("are limited to four pending ones, without duplicates", async () => {
    const settings = (speed: number) => ({ kind: "settings", settings: { speed } });
    expect((await give({ kind: "restart" })).statusCode).to.equal(201);
    expect(await error(give({ kind: "restart" }))).to.equal("409 ORDER_PENDING");
    for (const speed of [1, 2, 3]) expect((await give(settings(speed))).statusCode).to.equal(201);
    expect(await error(give(settings(4)))).to.equal("409 TOO_MANY_ORDERS");
    expect(await fetched()).to.have.length(4);
    await answer({ id: (await last()).id, result: "done" });
    expect((await give(settings(4))).statusCode).to.equal(201);
  });

  it("can be cancelled while they are pending; if the device carried one out anyway, that is shown", async () => {
    const withdraw = (id: number) => server.admin("DELETE", `/api/devices/${ID}/orders/${id}`);
    const id = await idOf({ kind: "restart" });
    expect((await withdraw(id)).json()).to.include({ id, state: "withdrawn" });
    expect(await fetched()).to.equal(undefined);
    expect(await error(withdraw(id))).to.equal("409 ORDER_ENDED");
    expect(await error(withdraw(id + 1))).to.equal("404 ORDER_UNKNOWN");

    const late = await idOf({ kind: "restart" });
    await fetched();
    await withdraw(late);
    expect((await logged("withdrawn"))[0]).to.match(/it was sent to the device, which may carry it out$/);
    await answer({ id: late, result: "done" });
    expect(await last()).to.include({ id: late, state: "done" });
    expect(await logged("done")).to.deep.equal([
      `${ID} has carried out the order to restart, which was withdrawn`,
    ]);
  });

  it("expire after a day, and the log says whether the device had received them", async () => {
    const unasked = await idOf({ kind: "identify" });
    server.nowMs += 1000;
    await idOf({ kind: "restart" });
    server.nowMs += DAY_MS - 1001;
    await server.app.tick();
    expect((await fetched())?.map(({ id }) => id)).to.include(unasked);
    server.nowMs += 1;
    expect(
      (await fetched())?.map(({ id }) => id),
      "before any tick",
    ).to.not.include(unasked);
    server.nowMs += 1000;
    await server.app.tick();
    await server.app.tick();
    expect((await listed()).map(({ state }: { state: string }) => state)).to.deep.equal([
      "expired",
      "expired",
    ]);
    expect(await logged("expired")).to.have.length(2);
    expect(await logged("expired")).to.include(
      "the order to restart has expired: it was sent and never answered: the device's firmware may know no orders",
    );
    expect(await fetched()).to.equal(undefined);
    await idOf({ kind: "identify" });
    server.nowMs += DAY_MS;
    await server.app.tick();
    expect((await logged("expired"))[0]).to.match(/the device has not asked since$/);
  });

  it("to many devices are checked one by one, and identify is not allowed in bulk", async () => {
    await enrol("base-0000ff");
    await server.check({ device_id: "base-0000aa" });
    const body = { devices: [ID, "base-0000ff", "base-0000aa", ID], kind: "restart" };
    const { ordered, failed, devices } = (await server.admin("POST", "/api/devices/orders", body)).json();
    expect([ordered, failed]).to.deep.equal([2, 1]);
    expect(devices[0]).to.include({ device_id: ID, state: "pending" });
    expect(devices[2]).to.include({ device_id: "base-0000aa", error: "DEVICE_HAS_NO_TOKEN" });
    const crowd = await server.admin("POST", "/api/devices/orders", { ...body, kind: "identify" });
    expect(crowd.statusCode).to.equal(400);
    const owners = { devices: [ID], kind: "settings", settings: { server: "http://evil.test" } };
    expect((await server.admin("POST", "/api/devices/orders", owners)).json().error).to.equal(
      "SETTING_IS_OWNERS",
    );
  });

  it("need an operator, for the types that a token is for, and are in the audit log", async () => {
    const { access: viewer } = await server.addUser("vera", "viewer");
    const { access: operator } = await server.addUser("otto", "operator");
    const url = `/api/devices/${ID}/orders`;
    const restart = { kind: "restart" };
    expect((await server.as(viewer, "POST", url, restart)).statusCode).to.equal(403);
    const { id } = (await server.as(operator, "POST", url, restart)).json();
    expect((await server.as(viewer, "GET", url)).json().orders[0]).to.include({ id, ordered_by: "otto" });
    expect((await server.as(viewer, "DELETE", `${url}/${id}`)).statusCode).to.equal(403);
    const made = await server.as(operator, "POST", "/api/tokens", {
      name: "lamps",
      scopes: ["devices:write"],
      device_types: ["lamp"],
    });
    expect(made.statusCode, made.body).to.equal(201);
    const lamps = made.json().token as string;
    expect((await server.as(lamps, "POST", url, { kind: "identify" })).json().error).to.equal("FORBIDDEN");
    expect((await server.as(lamps, "DELETE", `${url}/${id}`)).json().error).to.equal("FORBIDDEN");
    const crowd = await server.as(lamps, "POST", "/api/devices/orders", { devices: [ID], ...restart });
    expect(crowd.json().devices[0].error).to.equal("FORBIDDEN");
    await server.as(operator, "DELETE", `${url}/${id}`);
    const { entries } = (await server.admin("GET", `/api/audit?subject=device/${ID}`)).json();
    expect(entries.map(({ actor, action }: Record<string, string>) => [actor, action])).to.deep.equal([
      ["otto", "device.order-withdrawn"],
      ["otto", "device.ordered"],
    ]);
    expect(entries[1].after).to.include({ order: id, kind: "restart" });
  });

  it("with results that are too long or malformed are refused like any such check", async () => {
    const bad = (order_results: unknown) =>
      server
        .check({ order_results: order_results as OrderResult[] }, token)
        .then(({ statusCode }) => statusCode);
    const one = { id: 1, result: "done" };
    expect(await bad([one, one, one, one])).to.equal(200);
    for (const results of [
      [one, one, one, one, one],
      "done",
      [{ id: 0, result: "done" }],
      [{ id: 2 ** 60, result: "done" }],
      [{ id: 1, result: "maybe" }],
      [{ id: 1, result: "refused", reason: "x".repeat(201) }],
    ])
      expect(await bad(results), JSON.stringify(results)).to.equal(400);
  });

  it("make the next check take the full path, and leave the one after them a no-op again", async () => {
    let noOpCount = 0;
    const { store } = server;
    const { updateLastSeen } = store;
    store.updateLastSeen = async (updates) => {
      const seen = await updateLastSeen(updates);
      noOpCount += seen.size;
      return seen;
    };
    const isNoOp = async (check: () => Promise<unknown>) => {
      const before = noOpCount;
      await check();
      return noOpCount > before;
    };
    await fetched();
    expect(await isNoOp(fetched)).to.equal(true);
    const id = await idOf({ kind: "identify" });
    expect(await isNoOp(fetched), "with the order").to.equal(false);
    expect(await isNoOp(fetched), "while it is pending").to.equal(false);
    expect(await isNoOp(() => answer({ id, result: "done" })), "with its answer").to.equal(false);
    expect(await isNoOp(fetched), "the first after it").to.equal(false);
    expect(await isNoOp(fetched)).to.equal(true);
    const withdrawn = await idOf({ kind: "identify" });
    await server.admin("DELETE", `/api/devices/${ID}/orders/${withdrawn}`);
    expect(await isNoOp(fetched)).to.equal(false);
    expect(await isNoOp(fetched)).to.equal(true);
  });
});
