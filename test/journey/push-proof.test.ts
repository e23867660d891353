// Pushes that prove the owner's token instead of sending it, on a virtual device: the image that the owner has agreed to, and no other.

import { createHash } from "node:crypto";
import { expect } from "chai";
import { answerTo } from "../firmware/core/hashes.js";
import { CONFIG, PushBench, TOKEN } from "./push-bench.js";
import type { Exchange, PushOptions } from "./pusher.js";
import { imageOf, releaseOf } from "./rig.js";

const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

describe("a push whose sender proves the token", () => {
  let bench: PushBench;
  afterEach(() => bench?.close());

  /** What the device asks for, from a request without credentials. */
  async function challenge(
    options: PushOptions = {},
  ): Promise<{ readonly realm: string; readonly nonce: string }> {
    const { text, status } = await bench.pusher.push(new Uint8Array(0), options);
    expect(status).equal(401);
    const [, realm = "", nonce = ""] = /Skyslot realm="([^"]+)", nonce="([^"]+)"/.exec(text) ?? [];
    return { realm, nonce };
  }

  /** @param agreed the image that the answer is about */
  async function authorization(agreed: Uint8Array, options: PushOptions = {}): Promise<string> {
    return answerTo({ ...(await challenge(options)), token: TOKEN, sha256: sha256(agreed) });
  }

  const push = (
    image: Uint8Array,
    headers: Readonly<Record<string, string>>,
    more: PushOptions = {},
  ): Promise<Exchange> => bench.pusher.push(image, { ...more, headers });

  it("is installed and ends validated, on port 3232", async () => {
    bench = await PushBench.start();
    const answer = await authorization(bench.image);
    const { status } = await push(bench.image, { authorization: answer, "x-skyslot-release": bench.release });
    expect(status).equal(200);
    await bench.expectValidated();
    // what was heard on the way is of no use to anyone
    const again = await push(bench.image, { authorization: answer, "x-skyslot-release": bench.release });
    expect(again.status).equal(401);
  });

  it("is refused before a sector is erased if its release is of another image", async () => {
    bench = await PushBench.start();
    const other = await imageOf("base", "1.2.0", "esp32", CONFIG);
    const { status, text } = await push(other, {
      authorization: await authorization(bench.image),
      "x-skyslot-release": await releaseOf(other),
    });
    expect(text).match(/another image than the one that the answer to the challenge is about/);
    expect([status, bench.erasedSectorCount]).deep.equal([422, 0]);
    await bench.expectOldFirmware();
  });

  it("arms nothing if another image comes in the body, where unsigned ones are accepted", async () => {
    bench = await PushBench.start();
    await bench.acceptUnsigned();
    const port = 80;
    const other = await imageOf("base", "1.2.0", "esp32", CONFIG);
    const lie = await push(other, { authorization: await authorization(bench.image, { port }) }, { port });
    expect(lie.text).match(/have SHA256 [0-9a-f]{64}, expected is /);
    expect(lie.status).equal(422);
    await bench.expectOldFirmware();
    await bench.atHome(bench.rig.checks.length + 1);
    const honest = await push(
      bench.image,
      { authorization: await authorization(bench.image, { port }) },
      { port },
    );
    expect(honest.status).equal(200);
    await bench.expectValidated();
  });

  it("is the only one once the owner has switched the token itself off, over a restart too", async () => {
    bench = await PushBench.start();
    bench.device.machine?.nvs?.set("skyslot", "push.bearer", "str", "0");
    await bench.powerCycle();
    const bearer = await bench.pusher.push(bench.image, bench.signed());
    expect(bearer.status).equal(401);
    expect(bearer.text).not.match(/Bearer/);
    const { status } = await push(bench.image, {
      authorization: await authorization(bench.image),
      "x-skyslot-release": bench.release,
    });
    expect(status).equal(200);
    await bench.expectValidated();
  });
});
