// The rate limit of one device, on all routes, and of new devices from one address.

import { expect } from "chai";
import { arduinoImage, LegacyServer } from "../dialects/legacy-server.js";
import type { TestServer } from "../test-server.js";

const TYPE = "gateway";
const NEW = { burst: 3, perSecond: 1 / 6 };
const check = (deviceId: string, deviceType = TYPE) => ({
  device_id: deviceId,
  device_type: deviceType,
  current_version: "1.0.0",
  current_build: 0,
});

interface Ask {
  readonly method?: "GET" | "POST" | "PUT";
  readonly url: string;
  readonly payload?: object;
  readonly headers?: Record<string, string>;
  readonly remoteAddress?: string;
}

/** Every request with which a device may register. */
const ARRIVALS: readonly [name: string, ask: (n: number) => Ask][] = [
  ["a check", (n) => ({ method: "POST", url: "/api/ota/check", payload: check(`c-${n}`) })],
  ["a registration", (n) => ({ method: "POST", url: "/api/devices/register", payload: check(`r-${n}`) })],
  ["hawkBit's poll", (n) => ({ url: `/${TYPE}/controller/v1/h-${n}` })],
  [
    "Arduino's HTTPUpdate",
    (n) => ({
      url: `/api/arduino/${TYPE}`,
      headers: {
        "x-esp32-sta-mac": `AA:BB:CC:00:${Math.floor(n / 256)
          .toString(16)
          .padStart(2, "0")}:${(n % 256).toString(16).padStart(2, "0")}`,
        "x-esp32-version": "1.0.0",
      },
    }),
  ],
];

describe("the rate limit of a device, and of an address", () => {
  let legacy: LegacyServer;
  let server: TestServer;
  const open = async (settings: Parameters<typeof LegacyServer.open>[1]) => {
    legacy = await LegacyServer.open(TYPE, settings);
    ({ server } = legacy);
  };
  afterEach(() => server.close());
  const ask = ({ method = "GET", ...rest }: Ask) => server.app.inject({ method, ...rest });
  const statuses = async (count: number, one: (n: number) => Ask) => {
    const all: number[] = [];
    for (let n = 0; n < count; n++) all.push((await ask(one(n))).statusCode);
    return all;
  };
  const metric = async (text: string) => {
    const { body } = await server.admin("GET", "/metrics");
    return body.split("\n").filter((line) => line.startsWith(text));
  };

  describe("that is known", () => {
    beforeEach(() => open({ deviceRate: { burst: 3, perSecond: 1 } }));
    const heartbeat = (authorization?: string): Ask => ({
      method: "POST",
      url: "/api/devices/c-1/heartbeat",
      payload: {},
      ...(authorization ? { headers: { authorization } } : {}),
    });

    const routes: readonly [name: string, ask: Ask][] = [
      ...ARRIVALS.map(([name, one]): [string, Ask] => [name, one(1)]),
      ["a heartbeat", heartbeat()],
      [
        "hawkBit's attributes",
        { method: "PUT", url: `/${TYPE}/controller/v1/h/configData`, payload: { data: {} } },
      ],
      ["hawkBit's deployment", { url: `/${TYPE}/controller/v1/h/deploymentBase/1` }],
      [
        "hawkBit's feedback",
        {
          method: "POST",
          url: `/${TYPE}/controller/v1/h/deploymentBase/1/feedback`,
          payload: { id: 1, status: { execution: "proceeding" } },
        },
      ],
      ["a picture", { url: "/api/content/c-1" }],
    ];
    for (const [name, one] of routes)
      it(`is served up to the limit: ${name}`, async () => {
        const before = await statuses(3, () => one);
        expect(before).not.to.include(429);
        const refused = await ask(one);
        expect([refused.statusCode, refused.headers["retry-after"]]).to.deep.equal([429, "1"]);
        expect(await metric('skyslot_rate_limited_total{limit="device"}')).to.deep.equal([
          'skyslot_rate_limited_total{limit="device"} 1',
        ]);
        server.nowMs += 1000;
        expect((await ask(one)).statusCode).to.equal(before.at(-1));
      });

    it("has one count for all routes", async () => {
      const [, ...others] = ARRIVALS;
      const register = { method: "POST", url: "/api/devices/register", payload: check("c-1") } as const;
      expect(await statuses(2, () => register)).to.deep.equal([201, 200]);
      expect((await ask(heartbeat())).statusCode).to.equal(200);
      expect((await ask(heartbeat())).statusCode).to.equal(429);
      for (const [name, one] of others) expect((await ask(one(7))).statusCode, name).to.be.below(400);
    });

    it("loses nothing to its neighbours, nor to a client that only knows its name", async () => {
      const { token } = (
        await server.admin("POST", "/api/device-identities/c-1/token", { device_type: TYPE })
      ).json();
      expect(await statuses(20, () => heartbeat())).to.include(429);
      expect(await statuses(20, () => heartbeat("Bearer skd_wrong"))).to.include(429);
      await ask({
        method: "POST",
        url: "/api/devices/register",
        payload: check("c-1"),
        headers: { authorization: `Bearer ${token}` },
      });
      expect((await ask(heartbeat(`Bearer ${token}`))).statusCode).to.equal(200);
      expect(
        await statuses(200, (n) => ARRIVALS[2]?.[1](n) as Ask),
        "a fleet behind one address",
      ).to.deep.equal(Array(200).fill(200));
    });

    it("has no limit of its own for each credential that it invents, under one name or many", async () => {
      const invented = (n: number) => `Bearer skd_${`${n}`.padStart(43, "A")}`;
      for (const one of [
        () => heartbeat(invented(Math.random())),
        (n: number) => ({ ...(ARRIVALS[0]?.[1](1) as Ask), headers: { authorization: invented(n) } }),
        (n: number) => ({ ...(ARRIVALS[2]?.[1](1) as Ask), headers: { authorization: `TargetToken x${n}` } }),
        (n: number) => ({ url: "/api/content/c-1", headers: { authorization: invented(n) } }),
        (n: number) => ({ url: "/api/content/c-1", headers: { authorization: `Bearer ske_${n}` } }),
      ]) {
        const passed = (await statuses(50, one)).filter((status) => status !== 429);
        expect(passed.length).to.be.at.most(3);
        server.nowMs += 60_000;
      }
      const many = await statuses(100, (n) => ({
        ...(ARRIVALS[0]?.[1](n) as Ask),
        headers: { authorization: invented(n) },
      }));
      expect(many.filter((status) => status !== 429)).to.have.length(30);
    });

    it("counts its network, however many addresses of it a stranger has", async () => {
      const from = (remoteAddress: (n: number) => string) => (n: number) => ({
        ...(ARRIVALS[0]?.[1](n) as Ask),
        remoteAddress: remoteAddress(n),
        headers: { authorization: `Bearer x${n}` },
      });
      const passed = async (remoteAddress: (n: number) => string) =>
        (await statuses(60, from(remoteAddress))).filter((status) => status !== 429).length;
      expect(await passed((n) => `2001:db8:1:2::${n}`)).to.equal(30);
      expect(await passed((n) => `::ffff:192.0.2.${1 + (n % 1)}`)).to.equal(30);
      expect(await passed((n) => `2001:db8:1:${3 + (n % 2)}::${n}`), "two networks").to.equal(60);
    });

    it("is served in a network whose strangers are refused, with its token and without", async () => {
      const { token } = (
        await server.admin("POST", "/api/device-identities/c-1/token", { device_type: TYPE })
      ).json();
      await ask(ARRIVALS[0]?.[1](2) as Ask);
      expect((await ask(heartbeat(`Bearer ${token}`))).statusCode).to.equal(404);
      await ask({ ...(ARRIVALS[0]?.[1](1) as Ask), headers: { authorization: `Bearer ${token}` } });
      server.nowMs += 5000;
      await statuses(100, (n) => heartbeat(`Bearer x${n}`));
      expect((await ask(heartbeat("Bearer x"))).statusCode).to.equal(429);
      expect((await ask(heartbeat(`Bearer ${token}`))).statusCode).to.equal(200);
      expect((await ask({ ...heartbeat(), url: "/api/devices/c-2/heartbeat" })).statusCode).to.equal(200);
      expect((await ask({ ...heartbeat(), url: "/api/devices/nobody/heartbeat" })).statusCode).to.equal(429);
    });

    it("is one of few strangers: names that nobody has count together", async () => {
      const all = await statuses(100, (n) => ({ ...heartbeat(), url: `/api/devices/nobody-${n}/heartbeat` }));
      expect(all.filter((status) => status === 404)).to.have.length(30);
      expect(all.filter((status) => status === 429)).to.have.length(70);
    });

    it("leaves no more in the log than before, whatever is invented", async () => {
      await ask(ARRIVALS[0]?.[1](1) as Ask);
      const events = async () => (await server.admin("GET", "/api/events?limit=500")).json().events.length;
      const before = await events();
      await statuses(300, (n) => ({
        method: "POST",
        url: "/api/ota/check",
        payload: { ...check("c-1"), current_version: `1.0.${n}` },
        headers: { authorization: `Bearer skd_${n}` },
      }));
      expect((await events()) - before).to.be.at.most(3);
    });

    describe("of a closed type", () => {
      const files = [
        "/api/ota/download/1?device=c-1",
        "/api/ota/download/1/digests?device=c-1",
        "/api/ota/files/SHA?device=c-1",
        `/api/web-tools/${TYPE}/manifest.json?device=c-1`,
        `/manifest?types=${TYPE}&device=c-1`,
        `/${TYPE}/controller/v1/c-1/deploymentBase/1/artifacts/a.bin`,
      ];
      for (const file of files)
        it(`is not asked for in the database for ever: ${file}`, async () => {
          const made = await legacy.upload(arduinoImage("one"));
          const url = file.replace("SHA", made.json().file_hash);
          await server.admin("PUT", `/api/registration/${TYPE}`, {
            registration: "enrolment",
            tokens: "optional",
          });
          const { token } = (
            await server.admin("POST", "/api/device-identities/c-1/token", { device_type: TYPE })
          ).json();
          server.nowMs += 5000;
          const get = (authorization: string) => ({ url, headers: { authorization } });
          const before = (await ask(get(`Bearer ${token}`))).statusCode;
          server.nowMs += 5000;
          for (const invented of ["skd_", "ske_", "ska_", ""]) {
            const all = await statuses(100, (n) => get(`Bearer ${invented}${n}`));
            expect(all.filter((status) => status !== 429).length, invented).to.be.within(1, 30);
            server.nowMs += 60_000;
          }
          await statuses(100, (n) => get(`Bearer skd_${n}`));
          expect((await ask(get("Bearer skd_x"))).statusCode).to.equal(429);
          expect((await ask(get(`Bearer ${token}`))).statusCode, "who proved it before").to.equal(before);
        });
    });

    it("gets a file of hawkBit's in any number of parts", async () => {
      const url = `/${TYPE}/controller/v1/h-1/deploymentBase/1/artifacts/a.bin`;
      expect(new Set(await statuses(50, () => ({ url })))).to.deep.equal(new Set([404]));
    });
  });

  describe("that is new", () => {
    for (const [name, one] of ARRIVALS)
      it(`is accepted up to the limit, and then gets the time to wait: ${name}`, async () => {
        await open({ newDeviceRate: NEW });
        for (const status of await statuses(3, one)) expect(status).to.be.below(400);
        server.nowMs += 1500;
        const refused = await ask(one(3));
        expect([refused.statusCode, refused.json().error, refused.headers["retry-after"]]).to.deep.equal([
          429,
          "TOO_MANY_NEW_DEVICES",
          "5",
        ]);
        expect((await ask(one(0))).statusCode, "a known one is served").to.be.below(400);
        expect((await ask({ ...one(3), remoteAddress: "192.0.2.9" })).statusCode).to.be.below(400);
        server.nowMs += 4500;
        expect((await ask(one(4))).statusCode, "the next").to.be.below(400);
        expect((await ask(one(5))).statusCode, "and no more").to.equal(429);
        expect((await server.admin("GET", "/api/devices")).json().total).to.equal(5);
        expect(await metric('skyslot_rate_limited_total{limit="new_devices"}')).to.deep.equal([
          'skyslot_rate_limited_total{limit="new_devices"} 2',
        ]);
      });

    const arrive = (n: number, authorization?: string, type = TYPE): Ask => ({
      method: "POST",
      url: "/api/ota/check",
      payload: check(`n-${n}`, type),
      ...(authorization ? { headers: { authorization } } : {}),
    });

    it("leaves nothing behind when it is refused, whatever credentials it sends", async () => {
      await open({ newDeviceRate: NEW });
      await statuses(3, (n) => arrive(n));
      for (const shown of [undefined, "Bearer skd_x", "Bearer ske_x"])
        expect((await ask(arrive(99, shown))).statusCode, shown).to.equal(429);
      expect((await server.admin("GET", "/api/devices")).json().total).to.equal(3);
      expect(await server.store.findIdentity("n-99")).to.equal(undefined);
    });

    it("is refused before any work when too many came from its address already", async () => {
      await open({ newDeviceRate: NEW });
      await statuses(3, (n) => arrive(n));
      let transactionCount = 0;
      const { transaction } = server.store;
      server.store.transaction = ((...given: Parameters<typeof transaction>) => {
        transactionCount++;
        return transaction.apply(server.store, given);
      }) as typeof transaction;
      expect(new Set(await statuses(10, (n) => arrive(n + 10)))).to.deep.equal(new Set([429]));
      expect(transactionCount).to.equal(0);
      expect((await ask(arrive(0))).statusCode).to.equal(200);
    });

    it("is not counted when it comes with a required enrolment token, or its own", async () => {
      await open({ newDeviceRate: NEW });
      await server.admin("PUT", `/api/registration/${TYPE}`, {
        registration: "enrolment",
        tokens: "optional",
      });
      const { token } = (
        await server.admin("POST", "/api/enrolment-tokens", { name: "line", device_type: TYPE })
      ).json();
      const line = await statuses(300, (n) => arrive(n, `Bearer ${token}`));
      expect(new Set(line)).to.deep.equal(new Set([200]));
      expect((await ask(arrive(999))).statusCode, "without it").to.equal(401);
      expect(await statuses(4, (n) => arrive(n + 1000, undefined, "other"))).to.deep.equal([
        200, 200, 200, 429,
      ]);
      const own = (
        await server.admin("POST", "/api/device-identities/n-2000/token", { device_type: "other" })
      ).json();
      expect((await ask(arrive(2000, `Bearer ${own.token}`, "other"))).statusCode).to.equal(200);
    });

    it("is counted where it has to be approved: it fills the list all the same", async () => {
      await open({ newDeviceRate: NEW });
      await server.admin("PUT", "/api/registration/other", { registration: "approval", tokens: "optional" });
      expect(await statuses(4, (n) => arrive(n, undefined, "other"))).to.deep.equal([200, 200, 200, 429]);
    });

    it("is accepted at the rate of a production line, 600 in ten minutes, by default", async () => {
      await open({});
      let waiting = Array.from({ length: 600 }, (_, n) => n);
      const beganAt = server.nowMs;
      for (let minute = 0; waiting.length > 0; minute++) {
        const refused: number[] = [];
        for (const n of waiting) if ((await ask(arrive(n))).statusCode === 429) refused.push(n);
        waiting = refused;
        server.nowMs += 60_000;
        expect(minute).to.be.below(20);
      }
      expect(server.nowMs - beganAt).to.be.within(9 * 60_000, 11 * 60_000);
    });
  });
});
