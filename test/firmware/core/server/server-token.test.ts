import { expect } from "chai";
import type { Effect } from "../../../../firmware/core/effect.js";
import type { Raise } from "../../../../firmware/core/event.js";
import { initialReport, reportStep } from "../../../../firmware/core/server/report.js";
import {
  authorizationAt,
  jsonHeaders,
  readServerToken,
  SERVER_TOKEN_KEY,
  storeServerToken,
} from "../../../../firmware/core/server/server-token.js";
import { initialUpdate, type UpdateState, updateStep } from "../../../../firmware/core/update/update.js";
import { answerEvents, BOOTED, IMAGE, stamped } from "../events.js";

const SERVER = "http://updates.test:8080";
const TOKEN = `skd_${"t".repeat(43)}`;

describe("the token that a server gives", () => {
  it("is stored as one string with its server, and read back", () => {
    const stored = storeServerToken({ server: SERVER, token: TOKEN });
    expect(stored).deep.equal({ type: "store", key: SERVER_TOKEN_KEY, value: `${SERVER} ${TOKEN}` });
    expect(SERVER_TOKEN_KEY.length).at.most(15);
    expect(readServerToken({ [SERVER_TOKEN_KEY]: `${SERVER} ${TOKEN}` })).deep.equal({
      server: SERVER,
      token: TOKEN,
    });
    for (const damaged of [
      "",
      SERVER,
      `${SERVER} `,
      `${SERVER} a b`,
      `${SERVER} ${"x".repeat(129)}`,
      `${SERVER} a\u0007`,
    ])
      expect(readServerToken({ [SERVER_TOKEN_KEY]: damaged }), damaged).equal(undefined);
  });

  it("is shown to that server only, and the build's enrolment token to the build's server only", () => {
    const build = { ...BOOTED.build, enrolmentToken: "ske_1" };
    const known = { server: SERVER, token: TOKEN };
    const shown = (...args: Parameters<typeof jsonHeaders>) => jsonHeaders(...args).authorization;
    expect(shown(SERVER, known, build)).equal(`Bearer ${TOKEN}`);
    expect(shown("http://other.test", known, build)).equal(undefined);
    expect(shown(SERVER, undefined, build)).equal("Bearer ske_1");
    expect(shown("http://other.test", undefined, build)).equal(undefined);
    expect(shown(SERVER, { server: "http://other.test", token: TOKEN }, build)).equal("Bearer ske_1");
    expect(shown(SERVER, undefined, { ...build, enrolmentToken: "" })).equal(undefined);
  });

  it("is sent to every address of that server, and to none that only looks like one", () => {
    const known = { server: `${SERVER}/`, token: TOKEN };
    const shown = (url: string) => authorizationAt(url, known, undefined).authorization;
    // after the ? nothing names a host: the client connects to this server
    const paths = ["", "/", "/api/ota/download/7?device=base-1", "/api/content/base-1", "?@evil.test/x"];
    for (const path of paths) expect(shown(`${SERVER}${path}`), path).equal(`Bearer ${TOKEN}`);
    for (const url of [
      "http://updates.test/api/ota/download/7",
      "http://updates.test:80801/x",
      "http://updates.test:8080.evil.test/x",
      "http://updates.test:8080@evil.test/x",
      "https://updates.test:8080/x",
      "",
      "/api/ota/download/7",
    ])
      expect(shown(url), url).equal(undefined);
  });

  describe("with the answer to a check", () => {
    /** An update machine that is checking, and its effects for this answer. */
    function answered(answer: object, slotState = IMAGE.slotState) {
      let state: UpdateState = initialUpdate;
      const asked: (Effect | Raise)[] = [];
      const on = (event: Parameters<typeof stamped>[0]) => {
        const [next, effects] = updateStep(state, stamped(event));
        state = next;
        asked.push(...effects);
      };
      on({ ...BOOTED, image: { ...IMAGE, slotState } });
      on({ type: "serverChosen", server: SERVER, checkSeconds: 120, hasOwnPace: false });
      on({ type: "online", address: "192.168.1.20", rssi: -50 });
      on({ type: "timerFired", timer: "check" });
      answerEvents(state.attempt, { update_available: false, time: 1, ...answer }).forEach(on);
      const request = asked.find((effect) => effect.type === "startRequest");
      return { state, asked, body: JSON.parse(request?.request.body ?? "{}") };
    }
    const types = ({ asked }: { readonly asked: readonly (Effect | Raise)[] }) =>
      asked.map((effect) => (effect.type === "raise" ? effect.event.type : effect.type));

    it("is stored before it is announced", () => {
      const result = answered({ device_token: TOKEN });
      expect(result.body).include({ keeps_token: true, check_seconds: 120 });
      expect(result.state.serverToken).deep.equal({ server: SERVER, token: TOKEN });
      const order = types(result);
      expect(order.lastIndexOf("store")).above(0).and.below(order.indexOf("serverTokenGiven"));
    });

    it("is ignored when it is malformed", () => {
      for (const device_token of [1, "", "a b", "x".repeat(129), null]) {
        const result = answered({ device_token });
        expect(result.state.serverToken, `${device_token}`).equal(undefined);
        expect(types(result)).not.include("serverTokenGiven");
        expect(result.state.phase).equal("idle");
      }
    });

    it("is neither requested nor accepted on trial: the previous firmware might not support it", () => {
      const result = answered({ device_token: TOKEN }, "pending_verify");
      expect(result.body).not.property("keeps_token");
      expect(result.state.serverToken).equal(undefined);
    });
  });

  it("is in the next report", () => {
    let state = reportStep(initialReport, stamped(BOOTED))[0];
    for (const event of [
      { type: "serverChosen", server: SERVER, checkSeconds: 120, hasOwnPace: false },
      { type: "serverTokenGiven", serverToken: { server: SERVER, token: TOKEN } },
      { type: "online", address: "192.168.1.20", rssi: -50 },
    ] as const)
      state = reportStep(state, stamped(event))[0];
    const [, effects] = reportStep(
      state,
      stamped({ type: "reportMade", report: { firmware_id: 1, status: "installing" } }),
    );
    const [request] = effects.filter((effect) => effect.type === "startRequest");
    expect(request?.request.headers.authorization).equal(`Bearer ${TOKEN}`);
  });
});
