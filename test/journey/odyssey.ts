// A journey whose server answers as some server, proxy or captive network does.

import { expect } from "chai";
import type { HttpRequest, HttpResponse } from "../../host-sim/network/http-host.js";
import type { RawAnswer } from "../../host-sim/network/raw-answer.js";
import { type Lie, type Rig, type RigOptions, START_TIME, setUpRig, writeJson } from "./rig.js";

export const HOUR_MS = 3_600_000;

export const raw = (answer: RawAnswer): HttpResponse => ({ status: 0, raw: answer });
export const isDownload = ({ path }: HttpRequest) => path.startsWith("/api/ota/download");
export const isDigests = ({ path }: HttpRequest) => path.endsWith("/digests");
export const isImage = (request: HttpRequest) => isDownload(request) && !isDigests(request);
export const isCheck = ({ path }: HttpRequest) => path === "/api/ota/check";
export const isReport = ({ path }: HttpRequest) => path === "/api/ota/status";

/** The answer to a check that brings nothing but perhaps a token. */
export const noUpdate = async (more: object = {}): Promise<HttpResponse> => ({
  status: 200,
  headers: { "content-type": "application/json" },
  body: writeJson({ update_available: false, time: START_TIME, ...more }),
});

export class Odyssey {
  rig!: Rig;

  async start(lie: Lie, options: Partial<RigOptions> = {}): Promise<void> {
    this.rig = await setUpRig({ ...options, lie });
    this.rig.desk.device.powerOn();
  }

  get restarts(): string[] {
    return this.rig.events.flatMap((event) => (event.type === "restarted" ? [event.cause as string] : []));
  }

  hasReported = (status: string): boolean => this.rig.reports.some((report) => report.status === status);

  until = (done: () => boolean, limitMs = HOUR_MS): Promise<boolean> =>
    this.rig.desk.world.runUntil(done, { limitMs });

  /** Runs until the update has ended, and expects it installed, validated and reported. */
  async expectUpdated(): Promise<void> {
    await this.until(() => this.hasReported("success"));
    expect(this.hasReported("success"), this.rig.trace.slice(-9).join("\n")).equal(true);
    expect(this.restarts).deep.equal(["restart"]);
    expect(this.rig.desk.device.running?.label).equal("ota_0");
  }

  expectNoFailure(): void {
    expect(this.rig.reports.filter(({ status }) => status === "failed")).deep.equal([]);
  }

  async close(): Promise<void> {
    await this.rig?.close();
  }
}
