import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import { imageOf, type Lie, type Rig, type RigOptions, readJson, setUpRig } from "./rig.js";

const MINUTE_MS = 60_000;
const PARTITIONS = fileURLToPath(new URL("../../partitions/8mb.csv", import.meta.url));

describe("a device that keeps its server's token", () => {
  let rig: Rig;
  afterEach(() => rig.close());
  interface Shown {
    readonly path: string;
    readonly token: string | undefined;
    readonly status: number;
  }
  /** The `Authorization` of each request except downloads, in order. */
  let shown: Shown[];
  /** The same for downloads. */
  let downloads: Shown[];

  interface Options extends RigOptions {
    /** Whether the answer to this check, counted from 1, is lost. */
    readonly lose?: (count: number) => boolean;
    /** The server accepts new devices only with this token. */
    readonly enrolment?: string;
  }
  async function open(options: Options = {}): Promise<void> {
    const requests: Shown[] = [];
    shown = requests;
    const fetched: Shown[] = [];
    downloads = fetched;
    let checkCount = 0;
    const lie: Lie = async (request, honest) => {
      const answer = options.lie ? await options.lie(request, honest) : await honest();
      const token = request.headers.authorization?.replace("Bearer ", "");
      const isDownload = request.path.startsWith("/api/ota/download");
      (isDownload ? fetched : requests).push({ path: request.path, token, status: answer.status });
      const isLost = request.path === "/api/ota/check" && options.lose?.(++checkCount);
      return isLost ? { status: 503, headers: {}, body: new Uint8Array() } : answer;
    };
    rig = await setUpRig({ ...options, lie });
    if (options.enrolment) await rig.server.requireEnrolment(options.enrolment);
    rig.desk.device.powerOn();
  }
  const run = (until: () => boolean) => rig.desk.world.runUntil(until, { limitMs: 60 * MINUTE_MS });
  const updated = () => rig.reports.some(({ status }) => status === "success");
  const tokens = () => [...new Set(shown.map(({ token }) => token).filter((token) => token !== undefined))];
  const device = async () => {
    const { devices } = (await rig.server.admin("GET", "/api/devices")) as {
      devices: Record<string, unknown>[];
    };
    return devices[0] ?? {};
  };

  it("shows it from its second request on, through the update and every restart", async () => {
    await open();
    await run(updated);
    expect(shown[0]).include({ path: "/api/ota/check", token: undefined, status: 200 });
    expect(tokens()).lengthOf(1);
    expect(shown.slice(1).every(({ token }) => token?.startsWith("skd_"))).equal(true);
    expect(shown.every(({ status }) => status === 200)).equal(true);
    const before = shown.length;
    rig.desk.device.powerOff();
    rig.desk.device.powerOn();
    await run(() => shown.length > before);
    expect(shown[before]?.token).equal(tokens()[0]);
    expect(rig.running()).match(/^1\.1\.0 /);
    expect(await device()).include({ uses_token: true, interval_seconds: 120, status: "online" });
  });

  it("works when the answers with the token were lost", async () => {
    await open({ lose: (count) => count <= 3 });
    await run(updated);
    expect(shown.slice(0, 4).map(({ token }) => token)).deep.equal([
      undefined,
      undefined,
      undefined,
      undefined,
    ]);
    expect(tokens()).lengthOf(1);
    expect(await device()).include({ uses_token: true });
  });

  it("works when power was cut at any moment around storing it", async () => {
    // The moment when the answer arrives, and some steps of the device after it.
    for (const delayMs of [0, 1, 5, 20, 100]) {
      await open();
      await run(() => shown.length === 1);
      await rig.desk.world.runFor(delayMs);
      rig.desk.device.powerOff();
      rig.desk.device.powerOn();
      await run(updated);
      expect(shown.filter(({ status }) => status !== 200)).deep.equal([]);
      expect(await device()).include({ uses_token: true });
      await rig.close();
    }
    await open();
  });

  it("takes a new one when an operator requests it, also when the first answer with it is lost", async () => {
    let isAsked = false;
    let lostCount = 0;
    await open({ lose: () => isAsked && lostCount++ < 1 });
    await run(updated);
    const old = tokens()[0];
    const { device_id } = await device();
    isAsked = true;
    await rig.server.admin("POST", "/api/device-identities/change", {
      device_ids: [device_id],
      action: "rotate-token",
    });
    const before = shown.length;
    await run(() => shown.slice(before).some(({ token }) => token !== old));
    expect(tokens()).lengthOf(2);
    expect(lostCount).above(0);
    expect(shown.every(({ status }) => status === 200)).equal(true);
    const stranger = await rig.server.handle({
      method: "POST",
      path: "/api/ota/check",
      headers: { "content-type": "application/json", authorization: `Bearer ${old}` },
      body: new TextEncoder().encode(JSON.stringify(rig.checks.at(-1))),
      remoteAddress: "192.168.1.66",
    } as Parameters<typeof rig.server.handle>[0]);
    expect(readJson(stranger.body!).error).equal("DEVICE_TOKEN_WRONG");
  });

  it("keeps it even if a server refuses it", async () => {
    let isRefusing = false;
    await open({
      lie: async (request, honest) =>
        isRefusing && request.path === "/api/ota/check"
          ? { status: 401, headers: {}, body: new TextEncoder().encode("{}") }
          : honest(),
    });
    await run(updated);
    isRefusing = true;
    const refusedAt = shown.length;
    await run(() => shown.length > refusedAt + 2);
    isRefusing = false;
    const served = shown.length;
    await run(() => shown.length > served + 1);
    expect(shown.slice(refusedAt).every(({ token }) => token === tokens()[0])).equal(true);
    expect(shown.at(-1)?.status).equal(200);
  });

  it("logs what to do when it was flashed again, and is accepted once its token is reset", async () => {
    await open();
    await run(updated);
    const { device: own, world } = rig.desk;
    own.powerOff();
    own.flash.erase(0, own.flash.sizeBytes);
    own.flashFactory(readFileSync(PARTITIONS, "utf8"), await imageOf("base", "1.1.0"));
    rig.trace.length = 0;
    own.powerOn();
    await run(() => rig.trace.some((line) => line.includes("update check failed")));
    const id = (await device()).device_id as string;
    expect(rig.trace.join("\n")).contain(
      `update check failed: server answered 401: it requires a token that this device does not have. If the device was flashed again, forget the old token on the server: on the device's page there, or by "skyslot registration forget-token ${id}"`,
    );
    await rig.server.admin("POST", "/api/device-identities/change", {
      device_ids: [id],
      action: "forget-token",
    });
    const before = shown.length;
    await world.runFor(10 * MINUTE_MS);
    expect(shown.slice(before).filter(({ status }) => status === 401)).deep.equal([]);
    expect(await device()).include({ uses_token: true });
  });

  it("enrols itself with the token of its build, then uses its own", async () => {
    const enrolment = `ske_${"e".repeat(43)}`;
    const image = await imageOf("base", "1.0.0", "esp32", { enrolmentToken: enrolment });
    await open({ image, enrolment, lose: (count) => count <= 2 });
    await run(updated);
    expect(shown.slice(0, 3).every(({ token, status }) => token === enrolment && status === 200)).equal(true);
    expect(shown.slice(3).every(({ token }) => token?.startsWith("skd_"))).equal(true);
    expect(shown.every(({ status }) => status === 200)).equal(true);
    expect(downloads).not.lengthOf(0);
    expect(downloads.every(({ token, status }) => token?.startsWith("skd_") && status < 300)).equal(true);
  });

  it("does not send it to another host that serves the image", async () => {
    await open({ downloadPolicy: () => ({}) });
    await run(updated);
    expect(tokens()).lengthOf(1);
    expect(downloads).not.lengthOf(0);
    expect(downloads.every(({ token }) => token === undefined)).equal(true);
  });

  it("is refused where enrolment is required and its build has no token, and keeps trying", async () => {
    await open({ enrolment: `ske_${"e".repeat(43)}` });
    await run(() => shown.length >= 3);
    expect(shown.map(({ status }) => status)).deep.equal([401, 401, 401]);
    expect(await device()).deep.equal({});
  });
});
