// The release, the server and the expectations that the tests of a gateway's field share.

import { expect } from "chai";
import { bytesEqual } from "../../../../firmware/core/bytes.js";
import { Field, type FieldOptions, type NodeStation } from "./field.js";
import { makeRelease, type TestRelease, UpdateServer } from "./update-server.js";

export const RELEASE = makeRelease(40_000);
export const OTHER = makeRelease(36_000, 8);
export const MINUTE_MS = 60_000;

/** Runs the offered version already: the gateway. */
export function serverOf(...releases: TestRelease[]): UpdateServer {
  const server = new UpdateServer(...releases);
  server.releaseFor = (deviceId) => (deviceId.startsWith("node") ? releases[0] : undefined);
  return server;
}

export function field(options: Partial<FieldOptions> = {}): Field {
  return new Field({ seed: 1, server: serverOf(RELEASE), ...options }).start();
}

export const holds = ({ body }: NodeStation, { image }: TestRelease): boolean =>
  bytesEqual(body.slot.bytes.slice(0, image.length), image);

/** Each node runs the new version for good, from the image that was signed. */
export function expectUpdated({ nodes }: Field, release = RELEASE, what = ""): void {
  for (const node of nodes) {
    expect(node.runs(release.version), `${what} ${node.deviceId}: ${node.body.logs.at(-1)}`).equal(true);
    expect(holds(node, release), `${what} ${node.deviceId} holds the image`).equal(true);
  }
}
