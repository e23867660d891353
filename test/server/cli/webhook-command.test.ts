import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { expect } from "chai";
import { completionWords } from "../../../server/cli/completion.js";
import { UsageError } from "../../../server/cli/output.js";
import { createProgram } from "../../../server/cli/program.js";
import { sampleFirmware } from "../../contract/store/samples.js";
import { type CommandLine, openCommandLine } from "./command-line.js";

describe("skyslot webhook", () => {
  let line: CommandLine;
  let receiver: Server;
  let url: string;
  const status = 204;
  before(async () => {
    line = await openCommandLine();
    receiver = createServer((request, response) => {
      request.resume();
      response.writeHead(status).end();
    }).listen(0, "127.0.0.1");
    await once(receiver, "listening");
    url = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/hook`;
  });
  after(async () => {
    receiver.close();
    await line.close();
  });

  it("adds one and prints its secret once, sends a test, and lists the deliveries", async () => {
    const added = await line.skyslot("webhook", "add", url, "--event", "rollout.*", "--description", "pager");
    expect(added.out).to.match(/^webhook 1: rollout\.\* to http.*\nwhsec_\S+\n$/);
    const received = once(receiver, "request") as Promise<[IncomingMessage]>;
    expect((await line.skyslot("webhook", "test", "1")).out).to.match(/^delivery 1 is queued/);
    const [request] = await received;
    expect(request.headers["webhook-signature"]).to.match(/^v1,/);
    let deliveries: string;
    do deliveries = (await line.skyslot("webhook", "deliveries", "1")).out;
    while (/pending/.test(deliveries));
    expect(deliveries).to.match(/^1 +\S+ \S+ \S+ +webhook\.test +1 +delivered, 204$/m);
    const listed = await line.skyslot("webhook", "list");
    expect(listed.out)
      .to.match(/^1 +yes +0 +0 +rollout\.\* +http\S+ +\(pager\)$/m)
      .and.not.to.contain("whsec");
  });

  it("changes it, retries what failed, and removes it", async () => {
    const inactive = await line.json("webhook", "edit", "1", "--no-active", "--rotate-secret");
    expect(inactive).to.include({ is_active: false });
    expect(inactive.secret).to.match(/^whsec_/);
    expect(await line.json("webhook", "edit", "1", "--active", "--event", "*")).to.deep.include({
      is_active: true,
      events: ["*"],
    });
    expect(await line.failure("webhook", "edit", "1")).to.be.instanceOf(UsageError);
    expect((await line.skyslot("webhook", "retry", "1", "1")).out).to.match(
      /^delivery 1 \(webhook\.test\) is /,
    );
    expect((await line.failure("webhook", "retry", "1", "99")).message).to.match(/DELIVERY_UNKNOWN/);
    expect(await line.json("webhook", "deliveries", "1", "--state", "given_up")).to.include({ total: 0 });
    expect(await line.json("webhook", "remove", "1")).to.deep.equal({ id: 1, removed: true });
    expect((await line.json("webhook", "list")).webhooks).to.deep.equal([]);
  });

  it("is completed by shells", () => {
    const words = completionWords(createProgram());
    expect(words.get("skyslot webhook")).to.include.members(["list", "add", "test", "deliveries", "remove"]);
    expect(words.get("skyslot webhook deliveries")).to.include("--json");
    expect(words.get("skyslot rollout edit")).to.include.members(["--clear", "--stage", "--json"]);
  });
});

describe("skyslot release notes", () => {
  let line: CommandLine;
  before(async () => {
    line = await openCommandLine();
  });
  after(() => line.close());

  it("shows and changes them, and leaves a line in the audit log", async () => {
    await line.server.app.context.store.addFirmware(sampleFirmware({ notes: "first" }));
    expect((await line.skyslot("release", "notes", "1")).out).to.equal("first\n");
    const file = join(line.folder, "notes.md");
    await writeFile(file, "- quicker\n- smaller\n");
    expect((await line.skyslot("release", "notes", "1", "--file", file)).out).to.equal(
      "- quicker\n- smaller\n",
    );
    const { entries } = await line.json("audit", "--action", "firmware.changed");
    expect(entries[0].before.release_notes).to.equal("first");
    expect(entries[0].after.release_notes).to.equal("- quicker\n- smaller");
    expect((await line.failure("release", "notes", "1", "x".repeat(4001))).message).to.match(
      /400 INVALID_REQUEST: release_notes: expected string length less or equal to 4000/,
    );
    expect(await line.json("release", "notes", "1", "--clear")).to.deep.equal({ id: 1, release_notes: null });
    expect(await line.failure("release", "notes", "1", "x", "--clear")).to.be.instanceOf(UsageError);
  });
});
