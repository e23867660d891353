// One change for many devices: listed, or all that a filter finds, in batches.

import { expect } from "chai";
import { sampleDevice } from "../../contract/store/samples.js";
import { TestServer } from "../test-server.js";

describe("a change for many devices", () => {
  let server: TestServer;
  beforeEach(async () => {
    server = await TestServer.open({ deviceRate: undefined });
  });
  afterEach(() => server.close());

  const put = async (count: number, type = "base") => {
    for (let n = 0; n < count; n++)
      await server.store.putDevice(sampleDevice({ id: `${type}-${`${n}`.padStart(3, "0")}`, type }));
  };
  /** A device that has used its token. */
  async function enrol(device_id: string): Promise<void> {
    const about = { device_id, device_type: "base", keeps_token: true };
    const given = (await server.check(about)).json().device_token as string;
    await server.check(about, given);
  }
  const bulk = (body: object, token = server.token) =>
    server.app.inject({
      method: "POST",
      url: "/api/devices/bulk",
      headers: { authorization: `Bearer ${token}` },
      payload: body,
    });
  const all = async (body: object) => {
    const parts: { done: number; refused: { error: string; device_id: string }[]; next: string | null }[] =
      [];
    let after: string | null | undefined;
    while (after !== null) {
      const answer = await bulk({ ...body, ...(after === undefined ? {} : { after }) });
      expect(answer.statusCode, answer.body).to.equal(200);
      const part = answer.json();
      parts.push(part);
      after = part.next;
    }
    return parts;
  };
  const tagged = async (tag: string) => (await server.admin("GET", `/api/devices?tag=${tag}`)).json().total;

  it("reaches all that a filter finds, each once, even if the change alters what it finds", async () => {
    await put(7);
    await put(2, "led");
    const body = { filter: { type: "base" }, limit: 3, kind: "labels" };
    const parts = await all({ ...body, labels: { add_tags: ["lab"] } });
    expect(parts.map(({ done, next }) => [done, next])).to.deep.equal([
      [3, "base-002"],
      [3, "base-005"],
      [1, null],
    ]);
    expect(await tagged("lab")).to.equal(7);
    const removed = await all({
      filter: { tag: "lab" },
      limit: 3,
      kind: "labels",
      labels: { remove_tags: ["lab"] },
    });
    expect(removed.map(({ done }) => done)).to.deep.equal([3, 3, 1]);
    expect(await tagged("lab")).to.equal(0);
    expect((await all({ filter: {}, kind: "labels", labels: { group: "hall" } }))[0]).to.include({ done: 9 });
  });

  it("gives the reason for each unchanged device, and undoes nothing of the others", async () => {
    await put(1);
    await enrol("base-1");
    await enrol("base-2");
    const [first] = await all({ filter: { type: "base" }, kind: "restart" });
    expect(first).to.deep.include({ done: 2, next: null });
    expect(first?.refused.map(({ device_id, error }) => [device_id, error])).to.deep.equal([
      ["base-000", "DEVICE_HAS_NO_TOKEN"],
    ]);
    const again = (await bulk({ devices: ["base-1", "base-1", "nobody"], kind: "restart" })).json();
    expect(again.done).to.equal(0);
    expect(again.refused.map(({ error }: { error: string }) => error)).to.deep.equal([
      "ORDER_PENDING",
      "DEVICE_UNKNOWN",
    ]);
    expect(
      (await bulk({ devices: ["base-1"], kind: "settings", settings: { brightness: 40 } })).json(),
    ).include({
      done: 1,
    });
    const { orders } = (await server.admin("GET", "/api/devices/base-1/orders")).json();
    expect(orders.map(({ kind }: { kind: string }) => kind)).to.deep.equal(["settings", "restart"]);
    expect((await bulk({ devices: ["base-1", "base-000"], kind: "block" })).json()).to.deep.include({
      done: 1,
    });
  });

  it("affects no device of a type that its actor may not change", async () => {
    await put(2);
    await put(2, "led");
    await server.addUser("led-team", "operator");
    const made = await server.admin("POST", "/api/tokens", {
      name: "leds",
      user: "led-team",
      scopes: ["read", "devices:write"],
      device_types: ["led"],
    });
    const labels = { filter: {}, kind: "labels", labels: { pin: "1.0.0" } };
    expect(made.statusCode, made.body).to.equal(201);
    const answer = (await bulk(labels, made.json().token)).json();
    expect(answer.done).to.equal(2);
    expect(answer.refused, "a filter finds none that it may not see").to.deep.equal([]);
    const devices = ["base-000", "base-001"];
    const named = (await bulk({ ...labels, filter: undefined, devices }, made.json().token)).json();
    expect(named.done).to.equal(0);
    expect(named.refused.map(({ error }: { error: string }) => error)).to.deep.equal([
      "FORBIDDEN",
      "FORBIDDEN",
    ]);
    expect(named.refused[0].message).to.match(/may change led only$/);
    const { access } = await server.addUser("vic", "viewer");
    expect((await bulk(labels, access)).statusCode).to.equal(403);
    const audit = (await server.admin("GET", "/api/audit?action=device.labelled")).json();
    expect(audit.entries.map(({ subject }: { subject: string }) => subject).sort()).to.deep.equal([
      "device/led-000",
      "device/led-001",
    ]);
  });

  it("refuses invalid requests before any device is changed", async () => {
    await put(1);
    const wrong: readonly (readonly [object, string])[] = [
      [{ kind: "restart" }, "422 DEVICES_MISSING"],
      [{ kind: "restart", filter: {}, devices: ["base-000"] }, "422 DEVICES_MISSING"],
      [{ kind: "restart", filter: { typ: "base" } }, "400 INVALID_REQUEST"],
      [{ kind: "identify", filter: {} }, "400 INVALID_REQUEST"],
      [{ kind: "restart", filter: {}, limit: 501 }, "400 INVALID_REQUEST"],
      [{ kind: "labels", filter: {} }, "422 LABELS_MISSING"],
      [{ kind: "labels", filter: {}, labels: {} }, "422 LABELS_MISSING"],
      [{ kind: "settings", filter: {} }, "422 SETTINGS_MISSING"],
      [{ kind: "settings", filter: {}, settings: { server: "http://evil.test" } }, "422 SETTING_IS_OWNERS"],
    ];
    for (const [body, said] of wrong) {
      const answer = await bulk(body);
      expect(`${answer.statusCode} ${answer.json().error}`, JSON.stringify(body)).to.equal(said);
    }
  });
});
