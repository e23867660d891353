import { expect } from "chai";
import type { Event, LinkKind } from "../../../../firmware/core/event.js";
import { initialReport, type ReportState, reportStep } from "../../../../firmware/core/server/report.js";
import type { Report } from "../../../../firmware/core/wire.js";
import { BOOTED, stamped } from "../events.js";

const progress = (bytes: number): Report => ({
  firmware_id: 1,
  status: "downloading",
  bytes_downloaded: bytes,
});
const JSON_ANSWER = Object.freeze({ "content-type": "application/json; charset=utf-8" });
const made = (report: Report): Event => ({ type: "reportMade", report });

/** A report machine that is online, and the bodies that it has sent. */
class Reporter {
  state: ReportState = initialReport;
  readonly sent: Record<string, unknown>[] = [];
  readonly taken: Report[] = [];

  constructor(link: LinkKind = "wifi") {
    this.on({ ...BOOTED, link });
    this.on({ type: "serverChosen", server: "http://updates.test", checkSeconds: 120, hasOwnPace: false });
    this.on({ type: "online", address: "192.168.1.20", rssi: -50 });
  }
  on(event: Event): this {
    const [state, effects] = reportStep(this.state, stamped(event));
    this.state = state;
    for (const effect of effects) {
      if (effect.type === "startRequest") this.sent.push(JSON.parse(effect.request.body ?? "{}"));
      if (effect.type === "raise" && effect.event.type === "reportTaken")
        this.taken.push(effect.event.report);
    }
    return this;
  }
  answer(status: number, headers: Record<string, string> = JSON_ANSWER): this {
    return this.on({ type: "responseStarted", attempt: this.state.attempt, status, headers });
  }
}

describe("reports", () => {
  it("are sent one at a time, with the device's id", () => {
    const reporter = new Reporter().on(made(progress(1))).on(made({ firmware_id: 1, status: "installing" }));
    expect(reporter.sent).deep.equal([{ device_id: "base-0000a1", ...progress(1) }]);
    expect(reporter.answer(200).sent.length).equal(2);
  });

  it("of progress replace one that waits, never the one that is being sent", () => {
    const reporter = new Reporter()
      .on(made(progress(1)))
      .on(made(progress(2)))
      .on(made(progress(3)));
    reporter.answer(200).answer(200);
    expect(reporter.sent.map((body) => body.bytes_downloaded)).deep.equal([1, 3]);
    expect(reporter.taken.map((report) => report.bytes_downloaded)).deep.equal([1, 3]);
    expect(reporter.state.queue).deep.equal([]);
  });

  it("of a device without a network tell what has come of an update, and nothing in between", () => {
    const reporter = new Reporter("radio")
      .on(made(progress(1)))
      .on(made({ firmware_id: 1, status: "installing", step: "armed" }));
    expect(reporter.sent).deep.equal([]);
    reporter.on(made({ firmware_id: 1, status: "installing", step: "staged" })).answer(200);
    reporter.on(made({ firmware_id: 1, status: "success" })).answer(200);
    expect(
      reporter.on(made({ firmware_id: 1, status: "failed" })).sent.map(({ status }) => status),
    ).deep.equal(["installing", "success", "failed"]);
  });

  it("are retried after a server error, 429 or 401, and dropped when the server will never accept them", () => {
    for (const status of [503, 429, 401]) {
      const reporter = new Reporter().on(made(progress(1))).answer(status);
      expect(reporter.taken).deep.equal([]);
      reporter.on({ type: "timerFired", timer: "report" });
      expect(reporter.sent.length).equal(2);
      expect(reporter.answer(404).taken).deep.equal([progress(1)]);
    }
  });

  // Kind: an answer of somebody else. A captive network, or a proxy, answers everything with a page.
  it("are not taken by anyone who does not answer in JSON, nor by a redirect", () => {
    const pages = [
      {},
      { "content-type": "text/html" },
      { "content-type": "" },
      { "content-type": "application/jso" },
    ];
    for (const status of [200, 202, 400, 403, 404, 511])
      for (const headers of pages) {
        const reporter = new Reporter().on(made(progress(1))).answer(status, headers);
        expect(reporter.taken, `${status} ${JSON.stringify(headers)}`).deep.equal([]);
        expect(reporter.state).include({ phase: "waiting", failureCount: 1 });
        expect(reporter.on({ type: "timerFired", timer: "report" }).sent.length, "sent again").equal(2);
      }
    for (const status of [301, 302, 303, 304, 307, 401, 408])
      expect(new Reporter().on(made(progress(1))).answer(status).taken, `${status}`).deep.equal([]);
    expect(
      new Reporter().on(made(progress(1))).answer(200, { "content-type": "Application/JSON" }).taken,
    ).length(1);
  });

  it("are not sent to another server, whose firmware has other numbers", () => {
    const other = {
      type: "serverChosen",
      server: "http://other.test",
      checkSeconds: 120,
      hasOwnPace: false,
    } as const;
    const sending = new Reporter().on(made(progress(1))).on(made({ firmware_id: 1, status: "failed" }));
    sending.on(other).answer(200);
    expect(sending.sent).lengthOf(1);
    expect(sending.taken, "nobody has taken them").deep.equal([]);
    expect(sending.on(made({ firmware_id: 2, status: "installing" })).sent.at(-1)).include({
      firmware_id: 2,
    });
    const waiting = new Reporter()
      .on(made(progress(1)))
      .answer(503)
      .on(other);
    expect(waiting.on({ type: "timerFired", timer: "report" }).sent).lengthOf(1);
    const same = new Reporter().on({ type: "offline" }).on(made(progress(1)));
    same
      .on({ ...other, server: "http://updates.test" })
      .on({ type: "online", address: "192.168.1.20", rssi: -50 });
    expect(same.sent).lengthOf(1);
  });

  it("keep a result when the queue is full", () => {
    const reporter = new Reporter().on({ type: "offline" });
    reporter.on(made({ firmware_id: 1, status: "failed" }));
    for (let id = 2; id < 30; id++) reporter.on(made({ firmware_id: id, status: "installing" }));
    expect(reporter.state.queue.length).equal(8);
    expect(reporter.state.queue[0]).include({ status: "failed" });
  });

  it("come before what the device can be ordered to do, which is told once, or given up after five tries", () => {
    const told: Event = { type: "abilitiesTold", body: '{"digest":"1"}' };
    const reporter = new Reporter()
      .on(made(progress(1)))
      .on(told)
      .on(made({ firmware_id: 1, status: "failed" }));
    reporter.answer(200).answer(200);
    expect(reporter.sent.at(-1)).deep.equal({ digest: "1" });
    reporter.on(made({ firmware_id: 2, status: "installing" }));
    expect(reporter.sent, "one at a time").lengthOf(3);
    reporter.answer(200);
    expect(reporter.sent.at(-1)).include({ firmware_id: 2 });
    reporter.answer(200);
    expect(reporter.sent).lengthOf(4);
    expect(reporter.taken.map(({ firmware_id }) => firmware_id)).deep.equal([1, 1, 2]);
    reporter.on(told);
    for (let n = 0; n < 8; n++) reporter.answer(503).on({ type: "timerFired", timer: "report" });
    expect(reporter.sent).lengthOf(9);
    expect(reporter.state.abilities).equal("");
  });
});
