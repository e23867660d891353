import { arduinoImage } from "../server/dialects/legacy-server.js";
import { runDocument, type Stage } from "./document.js";

const RESTART_MS = 3 * 60_000;

describe("docs/troubleshooting.md", () => {
  runDocument("docs/troubleshooting.md", { arrange });
});

/** A device for each question. */
async function arrange(stage: Stage): Promise<undefined> {
  const check = (device_id: string, device_type: string, more: object = {}) =>
    stage.call("POST", "/api/ota/check", {
      ...{ device_id, device_type, current_version: "1.0.0", current_build: 0 },
      ...more,
    });
  const report = (device_id: string, firmware_id: number, status: string, more: object = {}) =>
    stage.call("POST", "/api/ota/status", { device_id, firmware_id, status, ...more });
  const release = async (
    type: string,
    version: string,
    fields: Record<string, string> = {},
  ): Promise<number> => {
    await stage.call("PUT", `/api/types/${type}`, { kind: "legacy" });
    const form = new FormData();
    for (const [name, value] of Object.entries({ device_type: type, version, ...fields }))
      form.set(name, value);
    form.set("file", new Blob([new Uint8Array(arduinoImage(type + version))]), `${type}.bin`);
    return (await stage.call("POST", "/api/ota/admin/upload", form)).id;
  };

  await release("scales", "1.1.0", { is_stable: "false" });
  await check("scales-1", "scales");

  await release("scales-old", "2.0.0", { min_current_version: "1.5.0" });
  await stage.put("scales-1.5.0.bin", arduinoImage("in between"));
  await check("scales-2", "scales-old");

  await loseToken(stage, "scales-3");

  const firmware_id = await release("scales-new", "1.1.0", { is_stable: "false" });
  await stage.call("POST", "/api/rollouts", { firmware_id, name: "slowly" });
  await check("scales-4", "scales-new");

  for (const [device, type, error_code, error_message] of [
    ["scales-5", "scales-hash", "IMAGE_MISMATCH", "the SHA-256 of what arrived is another"],
    ["scales-6", "scales-large", "IMAGE_TOO_LARGE", "image is 1400000 bytes, slot is 1310720"],
    ["scales-7", "scales-crash", "ROLLED_BACK", "task watchdog, 12 s after the start"],
  ] as const) {
    const id = await release(type, "1.1.0");
    await check(device, type);
    await report(device, id, "installing");
    await report(device, id, "failed", { error_code, error_message });
  }

  const claimed = await release("scales-claim", "1.1.0");
  await check("scales-8", "scales-claim");
  await report("scales-8", claimed, "success");
  stage.clock.aheadMs += RESTART_MS;
  await check("scales-8", "scales-claim");
  return undefined;
}

/** It has used its token, and comes back without. */
async function loseToken({ server, call }: Stage, device_id: string): Promise<void> {
  const body = {
    ...{ device_id, device_type: "panel", current_version: "1.0.0", current_build: 0 },
    keeps_token: true,
  };
  const post = (headers: Record<string, string>) =>
    fetch(`${server.url}/api/ota/check`, {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
      body: JSON.stringify(body),
    });
  const { device_token } = await call("POST", "/api/devices/register", body);
  await post({ authorization: `Bearer ${device_token}` });
  await post({});
}
