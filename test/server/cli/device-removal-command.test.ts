// Commands that take devices and releases out of a server, and those about changes that it carries out.

import { expect } from "chai";
import { makeRelease } from "../test-server.js";
import { type CommandLine, openCommandLine } from "./command-line.js";

describe("skyslot device remove, removed, jobs, and release delete", () => {
  let line: CommandLine;
  beforeEach(async () => {
    line = await openCommandLine();
  });
  afterEach(() => line.close());

  async function addDevices(...ids: readonly string[]): Promise<void> {
    for (const device_id of ids)
      await line.server.app.inject({
        method: "POST",
        url: "/api/ota/check",
        payload: {
          device_id,
          device_type: "base",
          current_version: "1.0.0",
          current_build: 0,
          chip: "esp32",
          hardware: "esp32",
        },
      });
  }

  it("removes listed devices, lists them, and erases what was kept", async () => {
    await addDevices("base-1", "base-2");
    const { out, status } = await line.skyslot("device", "remove", "base-1", "base-9", "--yes");
    expect(out)
      .to.match(/^remove: 1 device, .*1 unchanged/)
      .and.contain("DEVICE_UNKNOWN");
    expect(status).to.equal(1);
    expect((await line.skyslot("device", "removed")).out).to.match(
      /base-1 +base +1\.0\.0 .* local administrator/,
    );
    await line.skyslot("device", "remove", "base-1", "--erase", "--yes");
    expect((await line.json("device", "removed")).total).to.equal(0);
    expect((await line.json("device", "list")).total).to.equal(1);
  });

  it("removes all that match a filter, and asks before", async () => {
    await addDevices("base-1", "base-2");
    const failure = await line.failure("device", "remove", "--type", "base");
    expect(failure.message).to.contain("there are 2 devices, use --yes");
    await line.skyslot("device", "remove", "--type", "base", "--yes");
    expect((await line.json("device", "removed")).total).to.equal(2);
  });

  it("deletes a release for good, or says what needs it", async () => {
    const { image, release } = await makeRelease("1.1.0");
    const form = new FormData();
    form.set("release", release);
    form.set("file", new Blob([new Uint8Array(image)]), "base.bin");
    const headers = { authorization: `Bearer ${line.server.adminToken}` };
    await fetch(`${line.server.url}/api/ota/admin/upload`, { method: "POST", headers, body: form });
    expect((await line.failure("release", "delete", "1")).message).to.contain("use --yes");
    expect((await line.failure("release", "delete", "1", "--yes")).message).to.contain(
      "base 1.1.0 cannot be deleted: it is active",
    );
    await line.skyslot("release", "deactivate", "1");
    expect((await line.skyslot("release", "delete", "1", "--yes")).out).to.equal(
      "firmware 1: base 1.1.0 was deleted\n",
    );
  });

  it("lists changes of many devices, and ends one", async () => {
    await addDevices("base-1");
    const headers = { authorization: `Bearer ${line.server.adminToken}`, "content-type": "application/json" };
    const body = JSON.stringify({ kind: "labels", labels: { tags: ["lab"] }, filter: {} });
    await fetch(`${line.server.url}/api/bulk-jobs`, { method: "POST", headers, body });
    await line.server.app.context.bulkJobs.wake();
    expect((await line.skyslot("device", "jobs")).out).to.match(
      /^1 +labels +done +1 +1 +0 +local administrator/m,
    );
    expect((await line.skyslot("device", "cancel-job", "1")).out).to.equal(
      "job 1 is done: 1 of 1 devices are changed\n",
    );
  });
});
