// A real update server on loopback with a fleet of devices that only speak its API, a release key and images to upload.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildFirmwareImage } from "../../host-sim/hardware/image/firmware-image.js";
import { describeRelease, inspectImage } from "../../release/describe.js";
import { makeReleaseKeys } from "../../release/keys.js";
import { signRelease } from "../../release/signing.js";
import { startServer } from "../../server/start.js";
import { type Fate, imageOf, VirtualClient } from "../server/api/rollout/virtual-fleet.js";

/** The content of a browser's file input. */
export interface ChosenFile {
  readonly name: string;
  readonly mimeType: string;
  readonly buffer: Buffer;
}

export interface FleetStage {
  readonly url: string;
  /** Opening it creates the first administrator. */
  readonly setupUrl: string;
  /** For what is prepared without a browser. */
  readonly adminToken: string;
  /** The private key, and one that the server does not trust. */
  readonly key: ChosenFile;
  readonly otherKey: ChosenFile;
  image(version: string): ChosenFile;
  /** An image with the manifest that the key signs, and the one that a foreign key signs. */
  signed(
    version: string,
  ): Promise<{ readonly image: Buffer; readonly release: string; readonly foreign: string }>;
  /** Sends such an image to the server. @param isStable absent: it is not offered to every device */
  upload(version: string, isStable?: boolean): Promise<void>;
  /** Devices of type base that run 1.0.0 and have checked once. */
  register(count: number, fate?: (version: string) => Fate): Promise<readonly VirtualClient[]>;
  /** Each registered device takes this number of steps. */
  act(times?: number): Promise<void>;
  close(): Promise<void>;
}

export async function openFleetStage(): Promise<FleetStage> {
  const folder = await mkdtemp(join(tmpdir(), "skyslot-fleet-"));
  const { privateKey, publicKey } = await makeReleaseKeys();
  const other = await makeReleaseKeys();
  const server = await startServer({ dataDir: folder, port: 0, trustedKeys: [publicKey] });
  const clients: VirtualClient[] = [];
  const hashes = new Map<string, string>();
  const image = (version: string): ChosenFile => {
    const bundle = `trace("${version}");`.repeat(2000);
    const buffer = Buffer.from(buildFirmwareImage({ chip: "esp32", version, project: "base", bundle }));
    hashes.set(version, inspectImage(buffer).imageSha256);
    return { name: `base-${version}.bin`, mimeType: "application/octet-stream", buffer };
  };
  const keyFile = (name: string, key: object): ChosenFile => ({
    name,
    mimeType: "application/json",
    buffer: Buffer.from(JSON.stringify(key)),
  });
  const act = async (times = 1): Promise<void> => {
    for (let turn = 0; turn < times; turn++) for (const client of clients) await client.act();
  };
  async function signed(version: string) {
    const { buffer } = image(version);
    const payload = describeRelease(buffer, { created: Math.floor(Date.now() / 1000) });
    const [release, foreign] = [
      await signRelease(payload, privateKey),
      await signRelease(payload, other.privateKey),
    ];
    return { image: buffer, release, foreign };
  }
  return {
    url: server.url,
    setupUrl: server.setupUrl ?? "",
    adminToken: server.adminToken,
    key: keyFile("release.jwk", privateKey),
    otherKey: keyFile("other.jwk", other.privateKey),
    image,
    signed,
    async upload(version, isStable = false) {
      const { image: bytes, release } = await signed(version);
      const form = new FormData();
      form.set("release", release);
      form.set("is_stable", `${isStable}`);
      form.set("file", new Blob([new Uint8Array(bytes)]), `base-${version}.bin`);
      const headers = { authorization: `Bearer ${server.adminToken}` };
      const { status } = await fetch(`${server.url}/api/ota/admin/upload`, {
        method: "POST",
        headers,
        body: form,
      });
      if (status !== 201 && status !== 200) throw new Error(`the upload was answered ${status}`);
    },
    async register(count, fate) {
      const added = Array.from({ length: count }, (_, index) => {
        const id = `base-${(clients.length + index + 1).toString(16).padStart(6, "0")}`;
        return new VirtualClient(
          server.app,
          id,
          fate,
          "1.0.0",
          (version) => hashes.get(version) ?? imageOf(version),
        );
      });
      clients.push(...added);
      for (const client of added) await client.act();
      return added;
    },
    act,
    async close() {
      await server.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
