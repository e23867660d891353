// Kind: a server that asks for patience (Retry-After), with whatever status and for whatever was requested. It is obeyed up to a day.

import { expect } from "chai";
import type { Event } from "../../../../firmware/core/event.js";
import { initialReport, reportStep } from "../../../../firmware/core/server/report.js";
import { initialUpdate, type UpdateState, updateStep } from "../../../../firmware/core/update/update.js";
import { Download } from "../download.js";
import { BOOTED, stamped } from "../events.js";

const SIZE = 7 * 4096 + 1600;
const DAY_MS = 86_400_000;
const CHECK: Event = { type: "timerFired", timer: "check" };

describe("Retry-After of a download", () => {
  const asked = (retryAfter: string, status = 503, path = "/image") => {
    let count = 0;
    return new Download({
      sizeBytes: SIZE,
      lie: (request, honest) =>
        request.path === path && count++ === 0
          ? { ...honest, status, headers: { "retry-after": retryAfter } }
          : honest,
    }).run();
  };

  it("of up to a minute is waited for within the attempt, of the image and of its digests", () => {
    for (const path of ["/image", "/digests"])
      for (const status of [429, 503, 302]) {
        const download = asked("45", status, path);
        expect(download.retryDelaysMs[0], `${status} ${path}`).equal(45_000);
        expect(download.state.downloadsFromMs).within(45_000, 45_000 * 1.1);
      }
  });

  it("of more ends the attempt, and nothing is downloaded until then", () => {
    for (const [text, ms] of [
      ["61", 61_000],
      ["3600", 3_600_000],
      ["999999999", 86_400_000],
    ] as const) {
      const download = asked(text);
      expect(download.outcome).equal("HTTP_STATUS");
      expect(download.logs.join()).include(`and asks to wait ${ms / 1000} s`);
      const { downloadsFromMs } = download.state;
      expect(downloadsFromMs).within(ms, ms * 1.1);
      download.asked.length = 0;
      expect(download.run().asked, "an offer is not taken up").deep.equal([]);
      expect(download.logs.join()).include("as its server has asked");
    }
  });
});

describe("Retry-After of a check", () => {
  const DATE = "Mon, 30 Nov 2026 09:00:00 GMT";

  function refused(
    status: number,
    headers: Readonly<Record<string, string>>,
    changes: Partial<UpdateState> = {},
  ) {
    const checking = {
      ...initialUpdate,
      ...changes,
      phase: "checking",
      attempt: 2,
      online: true,
      server: "http://updates.test",
    } as UpdateState;
    const started: Event = { type: "responseStarted", attempt: 2, status, headers };
    return updateStep(checking, stamped(started));
  }
  const timersOf = ([, effects]: ReturnType<typeof updateStep>) =>
    effects.flatMap((effect) => (effect.type === "setTimer" ? [effect] : []));

  for (const [what, headers, ms] of [
    ["seconds", { "retry-after": "3600" }, 3_600_000],
    ["a date", { "retry-after": "Mon, 30 Nov 2026 10:00:00 GMT", date: DATE }, 3_600_000],
    ["more than a day", { "retry-after": "9999999" }, DAY_MS],
    ["a date next year", { "retry-after": "Tue, 30 Nov 2027 10:00:00 GMT", date: DATE }, DAY_MS],
  ] as const)
    for (const status of [429, 503, 302])
      it(`is obeyed by whatever would check sooner: ${status} with ${what}`, () => {
        const [idle] = refused(status, headers);
        expect(idle).include({ phase: "idle" });
        expect(idle.checksFromMs).within(ms, ms * 1.1);
        const early = updateStep(idle, { ...stamped(CHECK), at: ms - 1_000 });
        expect(early[0].phase).equal("idle");
        expect(timersOf(early)).deep.equal([
          { type: "setTimer", timer: "check", delayMs: idle.checksFromMs - ms + 1_000 },
        ]);
        expect(updateStep(idle, { ...stamped(CHECK), at: idle.checksFromMs })[0].phase).equal("checking");
      });

  it("ends when another server is chosen", () => {
    const [idle] = refused(503, { "retry-after": "86400" });
    const chosen = {
      type: "serverChosen",
      server: "http://other.test",
      checkSeconds: 120,
      hasOwnPace: false,
    } as const;
    const step = updateStep(idle, stamped(chosen));
    expect(step[0].checksFromMs).equal(0);
    expect(timersOf(step)[0]).property("delayMs").within(108_000, 132_000);
    expect(timersOf(updateStep(idle, stamped({ ...chosen, server: "http://updates.test" })))).deep.equal([]);
  });

  it("is not obeyed on trial: the image would be rolled back", () => {
    const step = refused(503, { "retry-after": "3600" }, { onTrial: true });
    expect(step[0].checksFromMs).equal(0);
  });

  for (const headers of [{}, { "retry-after": "soon" }, { "retry-after": "-1" }, { "retry-after": "0" }])
    it(`asks for nothing with ${JSON.stringify(headers)}`, () => {
      const step = refused(503, headers);
      expect(step[0].checksFromMs).equal(0);
      expect(timersOf(step)[0]?.delayMs).within(108_000, 132_000);
    });
});

describe("Retry-After of a report", () => {
  it("is waited for before it is sent again", () => {
    let [state] = reportStep(initialReport, stamped(BOOTED));
    const events: readonly Event[] = [
      { type: "serverChosen", server: "http://updates.test", checkSeconds: 120, hasOwnPace: false },
      { type: "online", address: "192.168.1.20", rssi: -50 },
      { type: "reportMade", report: { firmware_id: 1, status: "installing" } },
    ];
    for (const event of events) [state] = reportStep(state, stamped(event));
    const headers = { "retry-after": "600", "content-type": "application/json" };
    const answer: Event = { type: "responseStarted", attempt: state.attempt, status: 503, headers };
    const [waiting, effects] = reportStep(state, stamped(answer));
    expect(waiting).include({ phase: "waiting" });
    expect(effects.at(-1)).property("delayMs").within(600_000, 660_000);
    const [still] = reportStep(waiting, stamped(events[2]!));
    expect(still.phase, "nothing is sent meanwhile").equal("waiting");
  });
});
