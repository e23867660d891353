// An image that is sent to a gateway for its nodes: kept only if it is the one that was signed, and passed on like any other.

import { expect } from "chai";
import { bytesEqual } from "../../../../firmware/core/bytes.js";
import { CACHED_IMAGE_KEY, uploadedImage } from "../../../../firmware/core/gateway/cached-image.js";
import {
  proveUpload,
  receiveUpload,
  uploadBytes,
  uploadDigests,
  uploadHeard,
} from "../../../../firmware/core/gateway/upload.js";
import type { ExchangeAnswer, ExchangeRequest } from "../../../../firmware/core/radio/exchange-message.js";
import { jws, PAYLOAD } from "../releases.js";
import { Field } from "./field.js";
import { CHUNK_BYTES, makeRelease, UpdateServer } from "./update-server.js";

const RELEASE = makeRelease(40_000);
const IMAGE = uploadedImage(RELEASE.manifest)!;
const MINUTE_MS = 60_000;

/** The leader of a system: offers every node what the gateway was sent. */
function leader(request: ExchangeRequest): ExchangeAnswer | undefined {
  if (request.target !== "/api/ota/check") return undefined;
  const asked = JSON.parse(request.body);
  const time = 1_795_000_000;
  const { target, digestsTarget, manifest } = IMAGE;
  const offer = {
    firmware_id: 1,
    version: "1.1.0",
    build_number: 0,
    download_url: target,
    digests_url: digestsTarget,
    release: manifest,
  };
  const answer =
    asked.current_version === "1.1.0"
      ? { update_available: false, time }
      : { update_available: true, time, file_size: 1, file_hash: "", ...offer };
  const body = new TextEncoder().encode(JSON.stringify(answer));
  return {
    status: 200,
    headers: { "content-type": "application/json", "content-length": `${body.length}` },
    body,
  };
}

function field(seed = 1): Field {
  const server = new UpdateServer();
  const one = new Field({ seed, server, settings: { member: leader } });
  one.gateway.boot("power-on");
  return one;
}

const sent = (file = RELEASE.image, manifest = RELEASE.manifest): Field => {
  const one = field();
  one.gateway.send(manifest, file);
  one.air.runFor(20_000);
  return one;
};

describe("an image that is sent to a gateway", () => {
  it("is kept, and its nodes are updated with it, without an update server", () => {
    const one = sent();
    expect(one.gateway.uploads).deep.equal(["stored"]);
    one.node.boot("power-on");
    expect(one.runUntilUpdated("1.1.0", 5 * MINUTE_MS)).equal(true);
    expect(bytesEqual(one.node.body.slot.bytes.slice(0, 40_000), RELEASE.image)).equal(true);
    expect(one.server.paths.filter((path) => path.includes("download") || path.includes("cache"))).deep.equal(
      [],
    );
  });

  it("survives a restart of the gateway, which looks at it again", () => {
    const one = sent();
    one.gateway.restart();
    one.air.runFor(5_000);
    expect(one.gateway.state.upload?.phase).equal("stored");
    one.node.boot("power-on");
    expect(one.runUntilUpdated("1.1.0", 5 * MINUTE_MS)).equal(true);
  });

  it("is not kept when power fails before it is whole", () => {
    const one = field();
    one.gateway.send(RELEASE.manifest, RELEASE.image);
    one.air.runFor(60);
    one.gateway.restart();
    one.air.runFor(5_000);
    expect(one.gateway.uploads).deep.equal([]);
    expect(one.gateway.state.upload).equal(undefined);
    expect(one.gateway.body.stored[CACHED_IMAGE_KEY]).equal(undefined);
  });

  it("is not kept when it is another than the one that was signed", () => {
    const file = RELEASE.image.slice();
    file[20_000]! ^= 1;
    const one = sent(file);
    expect(one.gateway.uploads).deep.equal(["the file is not the one that was signed"]);
    one.node.boot("power-on");
    one.air.runFor(2 * MINUTE_MS);
    expect(one.node.runs("1.0.0")).equal(true);
  });

  it("is given to no node any more when it was spoilt in the flash", () => {
    const one = sent();
    one.gateway.cache.bytes[CHUNK_BYTES + 9]! ^= 1;
    one.node.boot("power-on");
    one.air.runFor(5 * MINUTE_MS);
    expect(one.node.runs("1.0.0")).equal(true);
    expect(one.gateway.uploads).deep.equal(["stored", "the file is not the one that was signed"]);
    one.gateway.send(RELEASE.manifest, RELEASE.image);
    expect(one.runUntilUpdated("1.1.0", 30 * MINUTE_MS)).equal(true);
  });

  it("is refused if it does not fit, or its digests are not signed", () => {
    const large = makeRelease(0x1e0000 + 16, 9);
    expect(sent(large.image, large.manifest).gateway.uploads[0]).include(
      "it has 1966096 bytes, the gateway's cache 1966080",
    );
    expect(sent(RELEASE.image, jws(PAYLOAD)).gateway.uploads[0]).include("no digests");
    expect(sent(RELEASE.image, "x").gateway.uploads[0]).include("no digests");
  });

  it("takes the place of one that was fetched", () => {
    const other = makeRelease(36_000, 8);
    const server = new UpdateServer(other);
    server.releaseFor = (deviceId) => (deviceId === "node-1" ? other : undefined);
    const one = new Field({ seed: 1, server }).start();
    one.air.runUntil(() => one.gateway.state.cache.fetchedBytes > 20_000, MINUTE_MS);
    one.gateway.send(RELEASE.manifest, RELEASE.image);
    one.air.runFor(10_000);
    expect(one.gateway.uploads).deep.equal(["stored"]);
    expect(one.gateway.state.cache.image?.id).equal(IMAGE.id);
    expect(bytesEqual(one.gateway.cache.bytes.slice(0, 40_000), RELEASE.image)).equal(true);
  });

  it("takes only the bytes that it asked for, and its own answers", () => {
    const [state, outputs] = receiveUpload(IMAGE);
    expect(outputs).deep.equal([{ type: "uploadWants", maxBytes: 4_096 }]);
    expect(uploadBytes(state!, new Uint8Array(4_097))[0]).equal(undefined);
    expect(uploadBytes(state!, new Uint8Array(0))).deep.equal([state, []]);
    const [busy] = uploadBytes(state!, new Uint8Array(10));
    expect(uploadBytes(busy!, new Uint8Array(10))).deep.equal([busy, []]);
    expect(uploadHeard(busy!, { type: "cacheErased", attempt: 1, offset: 0 })).deep.equal([busy, []]);
    expect(uploadHeard(busy!, { type: "offline" })).deep.equal([busy, []]);
    const failed = uploadHeard(busy!, { type: "cacheFailed", attempt: busy!.attempt, message: "worn out" });
    expect(failed).deep.equal([undefined, [{ type: "uploadFailed", message: "worn out" }]]);
  });

  it("has its digests for nodes, once it was checked", () => {
    const get = (range?: string): ExchangeRequest => ({
      method: "GET",
      target: `${IMAGE.digestsTarget}?device=a`,
      headers: range === undefined ? {} : { range },
      body: "",
    });
    const [proving] = proveUpload(IMAGE);
    expect(uploadDigests(proving!, get())?.status).equal(503);
    const stored = { ...proving!, phase: "stored", digests: RELEASE.digests } as const;
    expect(uploadDigests(stored, get())).deep.equal({ status: 200, headers: {}, body: RELEASE.digests });
    const part = uploadDigests(stored, get("bytes=32-63"))!;
    expect(part).include({ status: 206 });
    expect(part.headers["content-range"]).equal("bytes 32-63/96");
    expect(part.body).deep.equal(RELEASE.digests.slice(32, 64));
    for (const range of ["bytes=90-96", "bytes=5-4", "bytes=-5", "x"])
      expect(uploadDigests(stored, get(range))?.status).equal(416);
    expect(uploadDigests(stored, { ...get(), target: "/api/ota/check" })).equal(undefined);
    expect(uploadDigests(stored, { ...get(), method: "POST" })).equal(undefined);
  });
});
