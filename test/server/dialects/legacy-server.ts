// A server with a legacy device type and firmware for it, as an Arduino core builds it.

import { buildFirmwareImage } from "../../../host-sim/hardware/image/firmware-image.js";
import type { Settings } from "../../../server/api/context.js";
import { TestServer } from "../test-server.js";

/** The version in such an image is not the sketch's. */
export const arduinoImage = (mark: string): Buffer =>
  Buffer.from(
    buildFirmwareImage({
      chip: "esp32",
      version: "esp-idf: v4.4.7",
      project: "arduino-lib-builder",
      bundle: mark.repeat(900),
    }),
  );

export class LegacyServer {
  readonly server: TestServer;
  readonly type: string;

  private constructor(server: TestServer, type: string) {
    this.server = server;
    this.type = type;
  }

  static async open(type: string, settings: Partial<Settings> = {}): Promise<LegacyServer> {
    const server = await TestServer.open(settings);
    const legacy = new LegacyServer(server, type);
    await legacy.setKind("legacy");
    return legacy;
  }

  setKind(kind: "legacy" | "signed") {
    return this.server.app.inject({
      method: "PUT",
      url: `/api/types/${this.type}`,
      headers: { authorization: `Bearer ${this.server.token}` },
      payload: { kind },
    });
  }

  upload(image: Buffer, fields: Record<string, string> = {}) {
    return this.server.upload({ image }, { device_type: this.type, version: "1.2.0", ...fields });
  }

  /** @throws Error if it is refused. @returns its id */
  async startRollout(firmwareId: number, plan: object = {}): Promise<number> {
    const made = await this.server.admin("POST", "/api/rollouts", { firmware_id: firmwareId, ...plan });
    const id = made.json().id as number;
    const started = await this.server.admin("POST", `/api/rollouts/${id}/start`, {});
    if (started.statusCode !== 200) throw new Error(`${made.body} ${started.body}`);
    return id;
  }

  close(): Promise<void> {
    return this.server.close();
  }
}
