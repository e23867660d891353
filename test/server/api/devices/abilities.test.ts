// What a device can be ordered to do: when it is asked for it, and what is refused because of it.

import { expect } from "chai";
import { TestServer } from "../../test-server.js";

const ID = "led-010203";
const TOLD = {
  device_id: ID,
  digest: "0a1b2c3d",
  orders: ["restart", "settings"],
  fields: [
    { name: "brightness", label: "Brightness", hint: "In percent", type: "slider", least: 1, most: 100 },
    { name: "pattern", label: "Pattern", type: "choice", options: [["solid", "Solid"], ["rainbow"]] },
    { name: "note", label: "Note", type: "text", most: 20 },
  ],
  values: { brightness: 40, pattern: "solid", note: "" },
};

describe("what a device can be ordered to do", () => {
  let server: TestServer;
  let token: string;
  beforeEach(async () => {
    server = await TestServer.open({ deviceRate: undefined });
    const about = { device_id: ID, device_type: "led", keeps_token: true };
    token = (await server.check(about)).json().device_token;
  });
  afterEach(() => server.close());

  const check = (abilities_digest?: string, shown = token) =>
    server.check(
      {
        ...{ device_id: ID, device_type: "led", keeps_token: true },
        ...(abilities_digest === undefined ? {} : { abilities_digest }),
      },
      shown,
    );
  const isAsked = async (digest?: string) => (await check(digest)).json().tell_abilities === true;
  const tell = (body: object = TOLD, shown: string | undefined = token) =>
    server.app.inject({
      method: "POST",
      url: "/api/ota/abilities",
      headers: shown ? { authorization: `Bearer ${shown}` } : {},
      payload: body,
    });
  const shown = async () => (await server.admin("GET", `/api/devices/${ID}`)).json().abilities;
  const order = async (body: object) => {
    const answer = await server.admin("POST", `/api/devices/${ID}/orders`, body);
    const { error, message } = answer.json();
    return answer.statusCode === 201 ? "given" : `${answer.statusCode} ${error}: ${message}`;
  };

  it("is asked for while the server does not know what has the digest of its check", async () => {
    expect(await isAsked("0a1b2c3d")).to.equal(true);
    expect(await isAsked("0a1b2c3d"), "until it was told").to.equal(true);
    expect((await tell()).statusCode).to.equal(200);
    expect(await isAsked("0a1b2c3d")).to.equal(false);
    expect(await isAsked("0a1b2c3d"), "a no-op").to.equal(false);
    expect(await isAsked("ffffffff"), "it has changed").to.equal(true);
    const { told_at, ...rest } = await shown();
    const { device_id: _, digest: __, ...told } = TOLD;
    expect(rest).to.deep.equal(told);
    expect(Date.parse(told_at)).to.be.above(0);
  });

  it("is forgotten with a firmware that tells nothing, and may be anything then", async () => {
    await check("0a1b2c3d");
    await tell();
    expect(await order({ kind: "identify" })).to.match(/^409 ORDER_UNSUPPORTED/);
    expect(await isAsked()).to.equal(false);
    expect(await shown()).to.equal(null);
    expect(await order({ kind: "identify" })).to.equal("given");
  });

  it("is believed of a device that shows its token, and of no other", async () => {
    await check("0a1b2c3d");
    expect((await tell(TOLD, "")).json().error).to.equal("DEVICE_TOKEN_REQUIRED");
    expect((await tell({ ...TOLD, device_id: "led-999999" })).json().error).to.equal("DEVICE_UNKNOWN");
    await server.check({ device_id: "led-000001", device_type: "led" });
    const unproved = await tell({ ...TOLD, device_id: "led-000001" }, "");
    expect(unproved.json().error).to.equal("DEVICE_HAS_NO_TOKEN");
    expect(
      (await server.check({ device_id: "led-000001", abilities_digest: "1" })).json(),
    ).not.to.have.property("tell_abilities");
  });

  it("refuses orders that it could only refuse, with its own words and limits", async () => {
    await check("0a1b2c3d");
    await tell();
    const settings = (values: object) => order({ kind: "settings", settings: values });
    expect(await order({ kind: "identify" })).to.equal(
      `409 ORDER_UNSUPPORTED: ${ID} does not carry out the order "identify": its firmware knows restart, settings`,
    );
    expect(await settings({ colour: "#ffffff" })).to.equal(
      `422 SETTING_UNSUPPORTED: ${ID} has no setting colour that can be changed from here: it has brightness, pattern, note`,
    );
    expect(await settings({ brightness: 400 })).to.equal(
      `422 SETTING_INVALID: ${ID}: Brightness: 400 is not a whole number from 1 to 100.`,
    );
    expect(await settings({ pattern: "disco" })).to.match(/one of solid, rainbow/);
    expect(await settings({ note: "x".repeat(21) })).to.match(/at most 20 characters/);
    expect(await settings({ brightness: 41, pattern: "rainbow" })).to.equal("given");
    const bulk = await server.admin("POST", "/api/devices/bulk", {
      ...{ devices: [ID], kind: "settings", settings: { colour: "#ffffff" } },
    });
    expect(bulk.json().refused[0].error).to.equal("SETTING_UNSUPPORTED");
  });

  it("is counted over many devices, of the types that a token is for", async () => {
    await check("0a1b2c3d");
    await tell();
    await server.check({ device_id: "base-1", device_type: "base" });
    await server.addUser("ada", "admin");
    const counted = async (body: object, device_types?: string[]) => {
      const rights = { name: "t", user: "ada", scopes: ["read"], ...(device_types && { device_types }) };
      const { token: secret } = (await server.admin("POST", "/api/tokens", rights)).json();
      const answer = await server.as(secret, "POST", "/api/devices/abilities", body);
      return answer.json().abilities.map((one: { device_count: number }) => one.device_count);
    };
    expect(await counted({ filter: {} })).to.deep.equal([1]);
    expect(await counted({ devices: [ID, "base-1"] }, ["led"])).to.deep.equal([1]);
    expect(await counted({ devices: [ID] }, ["base"])).to.deep.equal([]);
    expect(await counted({ filter: {} }, ["base"])).to.deep.equal([]);
    expect((await server.admin("POST", "/api/devices/abilities", {})).json().error).to.equal(
      "DEVICES_MISSING",
    );
  });

  it("that is malformed, or too long, is refused", async () => {
    await check("0a1b2c3d");
    for (const bad of [
      { ...TOLD, fields: [{ name: "x", label: "X", type: "number" }] },
      { ...TOLD, fields: [{ name: "a b", label: "X", type: "switch" }] },
      { ...TOLD, fields: Array(41).fill({ name: "x", label: "X", type: "switch" }) },
      { ...TOLD, values: { brightness: {} } },
    ])
      expect((await tell(bad)).statusCode, JSON.stringify(bad).slice(0, 80)).to.equal(400);
    const long = { ...TOLD, extra: "x".repeat(9000) };
    expect((await tell(long)).statusCode).to.equal(413);
    expect(await shown()).to.equal(null);
  });
});
