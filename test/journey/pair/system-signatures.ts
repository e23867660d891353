// Attacks on who may say which releases belong together: the receiver's trust root asks for two signatures of a release, and a server with one release key
// offers it a system. Real signatures; for an engine: V8 or XS.

import { expect } from "chai";
import { thumbprint } from "../../../firmware/core/trust/thumbprint.js";
import type { SystemPayload } from "../../../firmware/core/wire.js";
import type { Engine } from "../../../host-sim/engine/engine.js";
import { type Holder, makeHolder, signPart, signRoot } from "../ceremony.js";
import { START_TIME, writeJson } from "../rig.js";
import { pairImage, setUpPair } from "./pair-rig.js";

const HOUR_MS = 3_600_000;
const ROOT_HOLDER = makeHolder();
const [ANN, BEN] = [makeHolder(), makeHolder()] as const;
const STRANGER = makeHolder();

const SYSTEM: SystemPayload = {
  format: 2,
  name: "pair",
  version: "9.0.0",
  components: [
    {
      name: "receiver",
      type: "receiver",
      hardware: "esp32",
      version: "9.0.0",
      build: 0,
      sha256: "a".repeat(64),
    },
  ],
  rebootDelaySeconds: 2,
  healthTimeoutSeconds: 30,
  created: START_TIME - 500,
};

type Part = ReturnType<typeof signPart>;
const by = (holder: Holder): Part =>
  signPart(SYSTEM, { typ: "skyslot-system", kid: thumbprint(holder.point) }, holder);
const general = (...parts: readonly Part[]): string =>
  JSON.stringify({
    payload: parts[0]?.payload,
    signatures: parts.map(({ payload: _, ...part }) => part),
  });
function compact(holder: Holder): string {
  const header = { typ: "skyslot-system", kid: thumbprint(holder.point) };
  const part = signPart({ ...SYSTEM, format: 1 }, header, holder);
  return `${part.protected}.${part.payload}.${part.signature}`;
}

const ONE_SHORT = /it is signed by 1 trusted key, trust root 1 asks for 2/;
/** Each with what the receiver says of it. */
const ATTACKS: readonly (readonly [manifest: () => string, said: RegExp])[] = [
  [() => compact(ANN), ONE_SHORT],
  [() => general(by(ANN), by(ANN)), ONE_SHORT],
  [() => general(by(ANN), { ...by(STRANGER), protected: by(BEN).protected }), /its signature is wrong/],
];

/** The receiver takes none of them, and then the one that both have signed. */
export async function attackSystem(engine?: Engine): Promise<void> {
  const root = signRoot(
    {
      version: 1,
      expires: START_TIME + 31_536_000,
      threshold: 1,
      keys: [ROOT_HOLDER.point, ANN.point, BEN.point],
      root: [0],
      release: [1, 2],
      freshness: [],
      releaseThreshold: 2,
      minSecurityVersion: 0,
    },
    [{ holder: ROOT_HOLDER, key: 0 }],
  );
  let manifest = "";
  const pair = await setUpPair({
    receiver: await pairImage("receiver", "1.0.0", { root }),
    ...(engine ? { engineOf: () => engine } : {}),
    lie: (request, honest) =>
      request.path.startsWith("/api/v1/systems/")
        ? Promise.resolve({ status: 200, headers: {}, body: writeJson({ manifest, devices: {} }) })
        : honest(),
  });
  try {
    const { receiver: lines } = pair.lines;
    const isAvailable = () => lines.some((line) => line.includes("system 9.0.0 is available"));
    for (const [attack, said] of ATTACKS) {
      const from = lines.length;
      manifest = attack();
      if (from === 0) pair.receiver.powerOn();
      const isSaid = await pair.until(
        () => isAvailable() || lines.slice(from).some((line) => said.test(line)),
        2 * HOUR_MS,
      );
      expect(isAvailable(), `${said}`).equal(false);
      expect(isSaid, `${said}\n${lines.slice(-20).join("\n")}`).equal(true);
    }
    manifest = general(by(ANN), by(BEN));
    expect(await pair.until(isAvailable, 2 * HOUR_MS), lines.slice(-20).join("\n")).equal(true);
  } finally {
    pair.close();
  }
}
