// Attacks on what a device believes of the present, with real signatures and the real server behind them: who is in between, who has the server's key, and who
// keeps everything away. For an engine: V8 or XS.

import { expect } from "chai";
import type {
  CheckRequest,
  FreshnessRequest,
  RootPayload,
  StatementPayload,
} from "../../firmware/core/wire.js";
import type { Engine } from "../../host-sim/engine/engine.js";
import { FreshnessKey } from "../../server/releases/freshness.js";
import { makeHolder, signRoot, signStatement } from "./ceremony.js";
import {
  imageOf,
  type Rig,
  readJson,
  releaseKeys,
  releaseOf,
  START_TIME,
  setUpRig,
  writeJson,
} from "./rig.js";

const HOUR_MS = 3_600_000;
const DAY_SECONDS = 86_400;
const ROOT_HOLDER = makeHolder();
const ONLINE = makeHolder();
/** A key of the root before: revoked since. */
const FORMER = makeHolder();

/** What somebody in between makes of the device's questions. */
export interface Between {
  /** In place of the server's statement; `undefined`: the server's own. */
  statement?:
    | ((asked: FreshnessRequest, honest: () => Promise<string>) => Promise<string | undefined>)
    | undefined;
  /** Changes of each answer to a check. */
  answer?: object | undefined;
}

export class Attacked {
  readonly between: Between = {};
  /** Every statement that the server has made for the device. */
  readonly statements: string[] = [];
  /** What the device has sent with its checks. */
  get checks(): readonly CheckRequest[] {
    return this.rig.checks as unknown as readonly CheckRequest[];
  }
  readonly rig: Rig;

  private constructor(rig: Rig, between: Between, statements: string[]) {
    this.rig = rig;
    this.between = between;
    this.statements = statements;
  }

  /** @param engine default: V8 */
  static async start(engine?: Engine, checkSeconds = 120): Promise<Attacked> {
    const { x = "", y = "" } = (await releaseKeys()).publicKey;
    const payload: RootPayload = {
      version: 2,
      expires: START_TIME + 365 * DAY_SECONDS,
      threshold: 1,
      keys: [ROOT_HOLDER.point, { x, y }, ONLINE.point],
      root: [0],
      release: [1],
      freshness: [2],
      releaseThreshold: 1,
      minSecurityVersion: 0,
    };
    const config = { root: signRoot(payload, [{ holder: ROOT_HOLDER, key: 0 }]), checkSeconds };
    const between: Between = {};
    const statements: string[] = [];
    const jwk = JSON.stringify(ONLINE.privateKey.export({ format: "jwk" }));
    const rig = await setUpRig({
      ...(engine ? { engine } : {}),
      image: await imageOf("base", "1.0.0", "esp32", config),
      update: await imageOf("base", "1.1.0", "esp32", config),
      settings: { freshnessKey: await FreshnessKey.read(jwk, "online") },
      lie: async (request, honest) => {
        if (request.path === "/api/ota/freshness") {
          const answer = await honest();
          const own = new TextDecoder().decode(answer.body);
          const text = between.statement
            ? await between.statement(readJson(request.body), async () => own)
            : own;
          if (text === own) statements.push(own);
          if (text === undefined) return { status: 503, headers: {}, body: new Uint8Array(0) };
          return { ...answer, headers: {}, body: new TextEncoder().encode(text) };
        }
        const answer = await honest();
        if (request.path !== "/api/ota/check" || answer.status !== 200 || !between.answer) return answer;
        return { ...answer, headers: {}, body: writeJson({ ...readJson(answer.body!), ...between.answer }) };
      },
    });
    return new Attacked(rig, between, statements);
  }

  /** The signed release, offered with each answer, whatever the server says. */
  async offer(changes: Parameters<typeof releaseOf>[1] = {}, more: object = {}): Promise<void> {
    this.between.answer = {
      update_available: true,
      firmware_id: 1,
      version: "1.1.0",
      build_number: 0,
      download_url: "/api/ota/download/1",
      digests_url: "/api/ota/download/1/digests",
      release: await releaseOf(this.rig.updateImage, changes),
      ...more,
    };
  }

  async until(done: () => boolean, limitMs = HOUR_MS): Promise<void> {
    const isDone = await this.rig.desk.world.runUntil(done, { limitMs });
    expect(isDone, this.rig.trace.slice(-15).join("\n")).equal(true);
  }
  get isUpdated(): boolean {
    return this.checks.some(({ current_version }) => current_version === "1.1.0");
  }
  get isValid(): boolean {
    return this.checks.some((check) => check.current_version === "1.1.0" && check.slot_state === "valid");
  }
  /** How often the device has reported this. */
  countOf(code: string): number {
    return this.rig.reports.filter(({ error_code }) => error_code === code).length;
  }
  /** The device refuses it once more, and does not install. */
  async refuses(code: string): Promise<void> {
    const before = this.countOf(code);
    await this.until(() => this.countOf(code) > before || this.isUpdated);
    expect(this.isUpdated, code).equal(false);
  }
  /** What a key says in answer to the question. */
  static says(
    holder: typeof ONLINE,
    changes: Partial<StatementPayload> = {},
  ): NonNullable<Between["statement"]> {
    return async ({ nonce, device_type: type }) =>
      signStatement(
        { nonce, type, time: START_TIME, expires: START_TIME + 600, newest: 0, withdrawn: [], ...changes },
        holder,
      );
  }
}

/** Of each test its name, and what it does with a device that is on. */
export const FRESHNESS_ATTACKS: Readonly<Record<string, (device: Attacked) => Promise<void>>> = Object.freeze(
  {
    "takes no replayed statement, none for another device, none by a key of an old root, none that was changed; and then the server's":
      async (device) => {
        const { between, rig } = device;
        between.statement = async () => undefined;
        rig.desk.device.powerOn();
        await device.refuses("FRESHNESS_MISSING");
        // somebody asks for a statement himself, and shows it to the device
        const { headers: _, ...request } = {
          headers: {},
          method: "POST",
          path: "/api/ota/freshness",
        } as const;
        const foreign = await rig.server.handle({
          ...request,
          headers: { "content-type": "application/json" },
          body: writeJson({ device_id: "base-ffffff", device_type: "base", nonce: "f".repeat(32) }),
          remoteAddress: "192.168.1.99",
        } as never);
        const others = new TextDecoder().decode(foreign.body);
        let earlier = "";
        for (const statement of [
          async () => others,
          async (_: unknown, honest: () => Promise<string>) => {
            earlier = await honest();
            return `${earlier.slice(0, -4)}AAAA`;
          },
          async () => earlier,
          Attacked.says(FORMER),
          Attacked.says(ROOT_HOLDER),
        ]) {
          between.statement = statement;
          await device.refuses("FRESHNESS_REFUSED");
        }
        between.statement = undefined;
        await device.until(() => device.isValid, 2 * HOUR_MS);
        expect(device.checks.at(-1)).include({ root_version: 2 }).not.have.property("frozen");
      },

    "installs nothing that was withdrawn, is older than the newest, or has expired, whatever time the server tells":
      async (device) => {
        const { between, rig } = device;
        await rig.server.admin("PATCH", "/api/ota/admin/firmware/1", { is_active: false });
        await device.offer();
        rig.desk.device.powerOn();
        await device.refuses("RELEASE_WITHDRAWN");
        // until that statement does not count any more
        between.answer = undefined;
        await rig.desk.world.runFor(600_000);
        between.statement = Attacked.says(ONLINE, { newest: 200, expires: START_TIME + 1 });
        await device.offer({ sequence: 100 });
        await device.refuses("SEQUENCE_TOO_OLD");
        between.statement = Attacked.says(ONLINE, { expires: START_TIME + 1 });
        await device.offer({ expires: START_TIME - 1 }, { time: 0 });
        await device.refuses("RELEASE_EXPIRED");
        // the server's key is stolen, and its clock set back: the floor is in flash
        rig.desk.device.powerOff();
        const past = START_TIME - 300 * DAY_SECONDS;
        between.statement = Attacked.says(ONLINE, { time: past, expires: past + 600 });
        await device.offer({ expires: START_TIME - DAY_SECONDS }, { time: past });
        rig.desk.device.powerOn();
        await device.refuses("RELEASE_EXPIRED");
        await rig.server.admin("PATCH", "/api/ota/admin/firmware/1", { is_active: true });
        between.statement = Attacked.says(ONLINE);
        await device.offer({ expires: START_TIME + DAY_SECONDS }, { time: 0 });
        await device.until(() => device.isValid);
      },
  },
);

/** With a check a day. */
export async function freezes(device: Attacked): Promise<void> {
  const { between, rig } = device;
  await rig.server.admin("PATCH", "/api/ota/admin/firmware/1", { is_active: false });
  rig.desk.device.powerOn();
  await device.until(() => device.statements.length === 1);
  between.statement = async () => undefined;
  await device.until(() => device.checks.at(-1)?.frozen === true, 20 * DAY_SECONDS * 1000);
  const days = rig.desk.world.nowMs / (DAY_SECONDS * 1000);
  expect(days).within(14, 15.5);
  const count = device.checks.length;
  await device.until(() => device.checks.length > count, 2 * DAY_SECONDS * 1000);
  between.statement = undefined;
  await device.until(() => device.checks.at(-1)?.frozen === undefined, 4 * DAY_SECONDS * 1000);
}
