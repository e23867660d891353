// The trust root on whole devices, with real signatures: from an image that knows none to one with a root, over several roots at once to a
// release that a key has signed which no image ever named; and what a server cannot do that has no keys.

import { expect } from "chai";
import type { RootPayload } from "../../firmware/core/wire.js";
import { describeRelease } from "../../release/describe.js";
import { makeReleaseKeys } from "../../release/keys.js";
import { signRelease } from "../../release/signing.js";
import { makeHolder, type RootSigner, signRoot } from "./ceremony.js";
import {
  imageOf,
  type Lie,
  type Rig,
  readJson,
  releaseKeys,
  START_TIME,
  setUpRig,
  writeJson,
} from "./rig.js";

const HOUR_MS = 3_600_000;
const YEAR_SECONDS = 31_536_000;
const HOLDERS = [makeHolder(), makeHolder(), makeHolder()] as const;
const THIEF = makeHolder();

describe("a device with a trust root", () => {
  let rig: Rig;
  afterEach(() => rig?.close());

  const until = async (done: () => boolean) =>
    expect(await rig.desk.world.runUntil(done, { limitMs: HOUR_MS }), rig.trace.slice(-12).join("\n")).equal(
      true,
    );
  const lastCheck = () =>
    rig.checks.at(-1) as undefined | (Rig["checks"][number] & { readonly root_version?: number });
  const runs = (version: string) =>
    rig.checks.some((check) => check.current_version === version && check.slot_state === "valid");

  /** What is served besides the server's own answers: roots by their versions, and an offer in place of the server's. */
  interface Served {
    roots: Map<number, string>;
    offer?: { readonly image: Uint8Array; readonly release: string } | undefined;
  }

  /** As a server does that knows of roots. */
  const serving =
    (served: Served): Lie =>
    async (request, honest) => {
      const [, version] = /^\/api\/v1\/roots\/(\d+)$/.exec(request.path) ?? [];
      if (version !== undefined) {
        const text = served.roots.get(Number(version));
        return { status: text ? 200 : 404, headers: {}, body: new TextEncoder().encode(text ?? "none") };
      }
      if (request.path === "/other")
        return { status: 200, headers: {}, body: served.offer?.image ?? new Uint8Array(0) };
      const answer = await honest();
      if (request.path !== "/api/ota/check" || answer.status !== 200) return answer;
      const { root_version: held } = readJson(request.body) as { readonly root_version?: number };
      const body = readJson(answer.body!);
      const newer = held !== undefined && Math.max(0, ...served.roots.keys()) > held;
      const link = newer ? { root_url: `/api/v1/roots/${held + 1}` } : {};
      const { offer } = served;
      const other = offer
        ? {
            update_available: true,
            firmware_id: 99,
            version: "9.9.9",
            build_number: 0,
            download_url: "/other",
            release: offer.release,
          }
        : {};
      return { ...answer, body: writeJson({ ...body, ...other, ...link }) };
    };

  /** Two of three; who signs releases has its index behind them. */
  async function payloadOf(
    version: number,
    releases: readonly { readonly x?: string; readonly y?: string }[],
    more: Partial<RootPayload> = {},
  ): Promise<RootPayload> {
    const points = releases.map(({ x = "", y = "" }) => ({ x, y }));
    return {
      version,
      expires: START_TIME + YEAR_SECONDS,
      threshold: 2,
      keys: [...HOLDERS.map(({ point }) => point), ...points],
      root: [0, 1, 2],
      release: points.map((_, index) => 3 + index),
      freshness: [],
      releaseThreshold: 1,
      minSecurityVersion: 0,
      ...more,
    };
  }
  const BY_TWO: readonly RootSigner[] = [
    { holder: HOLDERS[0], key: 0 },
    { holder: HOLDERS[2], key: 2 },
  ];

  it("has come from an image without one, and follows two roots to a release by a key that no image named", async () => {
    const { publicKey: old } = await releaseKeys();
    const rotated = await makeReleaseKeys();
    const first = signRoot(await payloadOf(1, [old]), BY_TWO);
    const served: Served = { roots: new Map() };
    // 1.0.0 knows the old key only, as every image before roots; 1.1.0 has root 1 built in
    const update = await imageOf("base", "1.1.0", "esp32", { root: first });
    rig = await setUpRig({ update, lie: serving(served) });
    rig.desk.device.powerOn();
    await until(() => runs("1.1.0"));
    expect(rig.checks[0]).not.have.property("root_version");
    expect(lastCheck()?.root_version).equal(1);

    // both come at once: 2 adds the new key and has expired since, 3 revokes the old one
    served.roots.set(
      2,
      signRoot(await payloadOf(2, [old, rotated.publicKey], { expires: START_TIME }), BY_TWO),
    );
    served.roots.set(3, signRoot(await payloadOf(3, [rotated.publicKey]), BY_TWO));
    const image = await imageOf("base", "1.2.0", "esp32", { root: first });
    const manifest = describeRelease(image, { created: START_TIME + 10 });
    const byOld = await signRelease(manifest, (await releaseKeys()).privateKey);
    served.offer = { image, release: byOld };
    await until(() => lastCheck()?.root_version === 3);
    await rig.desk.world.runFor(300_000);
    expect(runs("1.2.0"), "signed by a key that root 3 has revoked").equal(false);
    expect(rig.reports.at(-1)?.error_code).equal("KEY_UNKNOWN");

    served.offer = { image, release: await signRelease(manifest, rotated.privateKey) };
    await until(() => runs("1.2.0"));
    expect(lastCheck()?.root_version, "kept over the update").equal(3);
  });

  it("keeps its root against a thief with one of three keys, and goes on with updates", async () => {
    const { publicKey } = await releaseKeys();
    const first = await payloadOf(1, [publicKey]);
    const image = await imageOf("base", "1.0.0", "esp32", { root: signRoot(first, BY_TWO) });
    const stolen: RootPayload = {
      ...first,
      version: 2,
      threshold: 1,
      keys: [THIEF.point, ...first.keys.slice(1)],
    };
    const one = { holder: HOLDERS[1], key: 1 } as const;
    const thief = { holder: THIEF, key: 0 } as const;
    const attacks = [
      signRoot(stolen, [thief]),
      signRoot(stolen, [thief, one]),
      signRoot({ ...first, version: 2 }, [one, one, { ...one, of: "old" }]),
      signRoot({ ...first, version: 2 }, [one, { holder: THIEF, key: 0 }, { holder: THIEF, key: 2 }]),
      signRoot({ ...first, version: 3 }, BY_TWO),
      "{}",
    ];
    for (const attack of attacks) {
      const update = await imageOf("base", "1.1.0");
      rig = await setUpRig({ image, update, lie: serving({ roots: new Map([[2, attack]]) }) });
      rig.desk.device.powerOn();
      await until(() => rig.trace.some((line) => line.includes("ROOT_REFUSED")));
      expect(lastCheck()?.root_version).equal(1);
      await until(() => runs("1.1.0"));
      await rig.close();
    }
  }).timeout(60_000);
});
