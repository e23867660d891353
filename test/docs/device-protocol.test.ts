import { expect } from "chai";
import { makeReleaseKeys } from "../../release/keys.js";
import { makeRelease, releaseKeys } from "../server/test-server.js";
import { runDocument, type Stage } from "./document.js";

describe("docs/device-protocol.md", () => {
  const opened = runDocument("docs/device-protocol.md", { arrange });

  it("has a client that refuses a release whose signature is of another key", async () => {
    const { stage, shell } = opened();
    await stage.put("release.pub.jwk", JSON.stringify((await makeReleaseKeys()).publicKey));
    const { output, status } = await shell.run('rm slot.bin\nnode client.mjs "$SERVER" base-000004');
    expect(status).not.to.equal(0);
    expect(output).to.include("no known key signed it");
    const { logs } = await stage.call("GET", "/api/ota/admin/logs?device_id=base-000004");
    expect(logs[0]).to.include({ status: "failed", error_code: "SIGNATURE_INVALID" });
  });
});

/** A release of several chunks, and the key of a reader who has signed it. */
async function arrange(stage: Stage): Promise<undefined> {
  const bundle = `trace("a release of several pages of digests");`.repeat(40_000);
  const { image, release } = await makeRelease("1.1.0", { chunkBytes: 16_384, image: { bundle } });
  await stage.put("base-1.1.0-esp32.bin", image);
  await stage.put("release.pub.jwk", JSON.stringify((await releaseKeys()).publicKey));
  const form = new FormData();
  form.set("release", release);
  form.set("file", new Blob([new Uint8Array(image)]), "base-1.1.0-esp32.bin");
  await stage.call("POST", "/api/ota/admin/upload", form);
}
