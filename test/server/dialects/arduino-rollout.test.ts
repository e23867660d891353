// Sketches with HTTPUpdate, whose requests curl sends: a whole rollout with an image that never comes up, its successor, and a cancel.

import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect } from "chai";
import { arduinoImage, LegacyServer } from "./legacy-server.js";

const run = promisify(execFile);
const TYPE = "lamp";
const MINUTE_MS = 60_000;
const hashOf = (algorithm: string, image: Buffer): string =>
  createHash(algorithm).update(image).digest("hex");

/** A board: what it runs, and how it updates. Its author has never changed the version in the sketch. */
class Board {
  readonly #url: string;
  readonly #file: string;
  readonly id: string;
  runs: Buffer;
  downloadCount = 0;

  constructor(url: string, folder: string, id: string, runs: Buffer) {
    this.#url = url;
    this.#file = join(folder, id.replaceAll(":", ""));
    this.id = id;
    this.runs = runs;
  }

  /** It asks, and starts what it gets; `works` says whether an image comes up, or the one before comes back. */
  async update(works: (image: Buffer) => boolean): Promise<void> {
    const headers = {
      "User-Agent": "ESP32-http-Update",
      "x-ESP32-STA-MAC": this.id,
      "x-ESP32-AP-MAC": this.id,
      "x-ESP32-free-space": "1310720",
      "x-ESP32-sketch-size": `${this.runs.length}`,
      "x-ESP32-sketch-md5": hashOf("md5", this.runs),
      "x-ESP32-sketch-sha256": this.runs.subarray(-32).toString("hex").toUpperCase(),
      "x-ESP32-chip-size": "4194304",
      "x-ESP32-sdk-version": "v5.1.4",
      "x-ESP32-mode": "sketch",
      "x-ESP32-version": "lamp 1 (kitchen)",
    };
    const { stdout } = await run("curl", [
      ...["--silent", "--show-error", "--http1.0", "--output", this.#file],
      ...["--write-out", "%{http_code} %header{x-md5}", this.#url],
      ...Object.entries(headers).flatMap(([name, value]) => ["--header", `${name}: ${value}`]),
    ]);
    const [status, md5] = stdout.split(" ");
    if (status === "304") return;
    expect(status).to.equal("200");
    this.downloadCount++;
    const image = await readFile(this.#file);
    expect(hashOf("md5", image)).to.equal(md5);
    if (works(image)) this.runs = image;
  }
}

describe("a fleet of Arduino sketches", () => {
  const first = arduinoImage("1");
  const broken = arduinoImage("2");
  const fixed = arduinoImage("3");
  const unwanted = arduinoImage("4");
  let legacy: LegacyServer;
  let folder: string;
  let boards: readonly Board[];

  before(async function () {
    const curl = await run("curl", ["--version"]).catch(() => undefined);
    if (curl) return;
    console.warn("      skipped: no curl (Debian package of the same name)");
    this.skip();
  });
  beforeEach(async () => {
    // The server's clock moves by minutes here, the requests do not.
    legacy = await LegacyServer.open(TYPE, { deviceRate: undefined, addressRate: undefined });
    folder = await mkdtemp(join(tmpdir(), "skyslot-arduino-"));
    await legacy.server.app.listen({ port: 0, host: "127.0.0.1" });
    const { port } = legacy.server.app.server.address() as AddressInfo;
    const url = `http://127.0.0.1:${port}/api/arduino/${TYPE}`;
    boards = [1, 2, 3, 4].map((at) => new Board(url, folder, `24:6F:28:00:00:0${at}`, first));
  });
  afterEach(async () => {
    await legacy.close();
    await rm(folder, { recursive: true, force: true });
  });

  const admin = async (method: "GET" | "POST" | "PATCH", path: string, body?: object) => {
    const answer = await legacy.server.admin(method, path, body);
    expect(answer.statusCode, answer.body).to.be.below(300);
    return answer.json();
  };
  const release = async (version: string, image: Buffer): Promise<number> =>
    (await legacy.upload(image, { version, is_stable: "false" })).json().id;
  const rollout = (id: number) => admin("GET", `/api/rollouts/${id}`);
  /** Every board asks once a minute. */
  const pass = async (minuteCount: number) => {
    for (let minute = 0; minute < minuteCount; minute++) {
      for (const board of boards) await board.update((image) => !image.equals(broken));
      legacy.server.nowMs += MINUTE_MS;
    }
  };
  const running = () => boards.map(({ runs }) => runs);
  const versions = async () => {
    const { devices } = await admin("GET", "/api/devices");
    return devices.map(({ current_version }: { current_version: string }) => current_version);
  };

  it("is kept from an image that never comes up, gets the next one, and nothing that was cancelled", async () => {
    await release("1.0.0", first);
    await pass(1);
    expect(new Set(await versions())).to.deep.equal(new Set(["1.0.0"]));
    for (const { id } of boards.slice(0, 2)) await admin("PATCH", `/api/devices/${id}`, { group: "lab" });

    const stages = [
      { groups: ["lab"], soak_seconds: 60 },
      { percent: 100, soak_seconds: 0 },
    ];
    const failing = await legacy.startRollout(await release("2.0.0", broken), { stages });
    await pass(15);
    const paused = await rollout(failing);
    expect(paused).to.include({ state: "paused", stage: 0 });
    expect(paused.reason).to.match(/^([12]) of \1 devices? rolled back \(100 %/);
    expect(running().every((image) => image.equals(first))).to.equal(true);
    const downloads = boards.map(({ downloadCount }) => downloadCount);
    expect(downloads[0]).to.equal(1);
    expect(downloads.slice(2), "of the second stage").to.deep.equal([0, 0]);

    const next = await legacy.startRollout(await release("2.0.1", fixed), { stages });
    await pass(5);
    expect(await rollout(next)).to.include({ state: "finished" });
    expect(running().every((image) => image.equals(fixed))).to.equal(true);
    expect(new Set(await versions())).to.deep.equal(new Set(["2.0.1"]));

    const one = { max_concurrent: 1, stages: [{ percent: 100, soak_seconds: 0 }] };
    const last = await legacy.startRollout(await release("2.0.2", unwanted), one);
    await boards[0]?.update(() => true);
    await admin("POST", `/api/rollouts/${last}/cancel`);
    await pass(3);
    expect(await rollout(last)).to.include({ state: "cancelled" });
    expect(running().filter((image) => image.equals(unwanted))).to.have.length(1);
    expect((await versions()).toSorted()).to.deep.equal(["2.0.1", "2.0.1", "2.0.1", "2.0.2"]);
    expect(boards.map(({ downloadCount }) => downloadCount)[3], "2.0.1 alone").to.equal(1);
  });
});
