import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { UsageError } from "../../../server/cli/output.js";
import { makeRelease } from "../test-server.js";
import { type CommandLine, openCommandLine } from "./command-line.js";

describe("skyslot rollout and skyslot device", () => {
  let line: CommandLine;
  before(async () => {
    line = await openCommandLine();
    const { image, release } = await makeRelease("1.1.0");
    const form = new FormData();
    form.set("file", new Blob([new Uint8Array(image)]), "base.bin");
    form.set("release", release);
    form.set("is_stable", "false");
    const headers = { authorization: `Bearer ${line.server.adminToken}` };
    const answer = await fetch(`${line.server.url}/api/ota/admin/upload`, {
      method: "POST",
      headers,
      body: form,
    });
    expect(answer.status, await answer.text()).to.equal(201);
    for (const id of ["d1", "d2"]) expect(await check(id)).to.equal(false);
  });
  after(() => line.close());
  const skyslot: CommandLine["skyslot"] = (...args) => line.skyslot(...args);
  const json: CommandLine["json"] = (...args) => line.json(...args);
  const failure: CommandLine["failure"] = (...args) => line.failure(...args);

  const check = async (device_id: string): Promise<boolean> => {
    const body = {
      device_id,
      device_type: "base",
      current_version: "1.0.0",
      current_build: 0,
      slot_state: "valid",
    };
    const answer = await fetch(`${line.server.url}/api/ota/check`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    return ((await answer.json()) as { update_available: boolean }).update_available;
  };
  it("labels devices, and prints a result for each", async () => {
    const tagged = await skyslot(
      "device",
      "tag",
      "d1",
      "nobody",
      "--add",
      "lab",
      "beta",
      "--group",
      "berlin",
    );
    expect(tagged.status).to.equal(1);
    expect(tagged.out)
      .to.contain("d1: beta, lab, in group berlin")
      .and.to.contain("device nobody has never checked");
    expect((await skyslot("device", "list", "--tag", "lab")).out).to.match(
      /^d1 +base +1\.0\.0 +berlin +beta,lab/m,
    );
    expect((await skyslot("device", "pin", "d2", "1.0.0")).out).to.equal("d2 is pinned to 1.0.0\n");
    expect((await skyslot("device", "why", "d2")).out).to.match(
      /^d2 is offered nothing: the device is pinned to 1\.0\.0/,
    );
    expect(await failure("device", "pin", "d2")).to.be.instanceOf(UsageError);
    expect(await failure("device", "tag", "d2")).to.be.instanceOf(UsageError);
    expect((await json("device", "tag", "d1", "--no-group", "--remove", "beta")).devices[0]).to.include({
      group: null,
    });
  });

  it("plans, creates, starts, shows and ends a rollout, with exit codes for scripts", async () => {
    const plan = await skyslot("rollout", "plan", "1", "--stage", "50%,soak=1h", "100%");
    expect(plan.out)
      .to.match(/^1 of 2 devices get it/)
      .and.to.contain("left out d2: The device is pinned to 1.0.0");
    expect((await json("rollout", "list")).rollouts).to.deep.equal([]);
    const made = await json(
      "rollout",
      "create",
      "1",
      "--name",
      "autumn",
      "--stage",
      "group:lab",
      "100%",
      "--max-concurrent",
      "1",
      "--start",
    );
    expect(made).to.include({ id: 1, state: "running", max_concurrent: 1 });
    // The group is empty: the first stage proves nothing and is skipped.
    expect(made.stage).to.equal(1);
    expect(await check("d1")).to.equal(true);
    expect(await check("d2")).to.equal(false);
    expect((await skyslot("rollout", "show", "1")).out).to.match(
      /● 100 % +▓{40} +0 of 1 validated, 1 updating/,
    );
    expect((await skyslot("rollout", "pause", "1", "--reason", "lunch")).out).to.equal(
      "rollout 1: paused, lunch\n",
    );
    expect((await skyslot("rollout", "watch", "1")).status).to.equal(3);
    expect((await failure("rollout", "start", "1")).message).to.match(/409 STATE_WRONG: rollout 1 is paused/);
    expect((await failure("rollout", "rollback", "1")).message).to.match(/409 NO_WAY_BACK: .*1\.1\.0\+1/);
    await skyslot("rollout", "cancel", "1");
    expect((await skyslot("rollout", "watch", "1")).status).to.equal(4);
    expect((await skyslot("rollout", "list")).out).to.match(
      /^1 +1 +2\/2 .*autumn +cancelled: cancelled by local administrator$/m,
    );
    expect((await skyslot("device", "logs", "d1")).out).to.match(
      /update\.pending +d1 is offered base 1\.1\.0 over 1\.0\.0/,
    );
  });

  it("changes a rollout's fields, without overwriting another user's changes", async () => {
    await skyslot(
      "rollout",
      "create",
      "1",
      "--tag",
      "lab",
      "--stage",
      "10%",
      "100%",
      "--max-concurrent",
      "5",
    );
    const plan = await skyslot("rollout", "edit", "2", "--clear", "tags", "--plan");
    expect(plan.out).to.match(/^1 of 2 devices get it/);
    expect(await json("rollout", "show", "2")).to.include({ revision: 1 });
    const edit = ["--name", "winter", "--window", "daily 01:00-05:00", "--time-zone", "Europe/Berlin"];
    const cleared = ["--clear", "tags", "max-concurrent", "--from", "0.9.0"];
    expect((await skyslot("rollout", "edit", "2", ...edit, ...cleared)).out).to.equal(
      "rollout 2, revision 2: draft, changed by local administrator\n",
    );
    const edited = await json("rollout", "edit", "2", "--window", "daily 02:00-05:00");
    expect(edited).to.deep.include({
      name: "winter",
      max_concurrent: null,
      target: { from_version: "0.9.0" },
    });
    expect(edited.windows).to.deep.include({ time_zone: "Europe/Berlin" });
    expect((await skyslot("rollout", "edit", "2", "--name", "winter")).out).to.equal(
      "rollout 2 is unchanged\n",
    );
    await skyslot("rollout", "start", "2");
    expect((await failure("rollout", "edit", "2", "--clear", "from")).message).to.match(
      /409 EDIT_UNSAFE: the target of rollout 2 cannot be changed: devices that from version would add/,
    );
    expect(await failure("rollout", "edit", "2")).to.be.instanceOf(UsageError);
    await skyslot("rollout", "cancel", "2");
  });

  it("shows what is approved, and approves nothing else", async () => {
    for (const name of ["ada", "bob"]) await tellUser(name);
    const [asAda, asBob] = [await signedIn("ada"), await signedIn("bob")];
    const made = await json("rollout", "create", "1", "--tag", "lab", "--approval", "--start", ...asAda);
    expect(made).to.include({ state: "awaiting_approval", revision: 1 });
    const id = `${made.id}`;
    const unasked = await failure("rollout", "approve", id, ...asBob);
    expect(unasked).to.be.instanceOf(UsageError);
    expect(unasked.message).to.equal(
      `no terminal to prompt on: approve with \`skyslot rollout approve ${id} --revision 1\``,
    );
    await skyslot("rollout", "edit", id, "--clear", "tags", ...asAda);
    expect((await failure("rollout", "approve", id, "--revision", "1", ...asBob)).message).to.equal(
      `${line.server.url} answers 412 REVISION_CHANGED: ada has changed rollout ${id} meanwhile (target): it is at revision 2, ` +
        `review it again: \`skyslot rollout show ${id}\`, then repeat the command with --revision 2`,
    );
    expect(await json("rollout", "show", id)).to.include({ state: "awaiting_approval" });
    const { out } = await skyslot("rollout", "approve", id, "--revision", "2", ...asBob);
    expect(out)
      .to.match(/awaiting approval, revision 2\n/)
      .and.to.match(
        /^ {2}Release +base 1\.1\.0\n {2}For +all devices of its type\n {2}Stage 1 +100 %: next stage after/m,
      )
      .and.to.match(/^ {2}Created by +ada, changed by ada\n {2}Reaches +1 device, /m)
      .and.to.match(/: running, approved by bob\n$/);
    await skyslot("rollout", "cancel", id);
    const again = await json("rollout", "create", "1", "--approval", "--start", ...asAda);
    expect((await failure("rollout", "approve", `${again.id}`, "--revision", "1")).message).to.contain(
      `403 PERSON_REQUIRED: local administrator cannot approve a rollout: a person has to, signed in on the dashboard or by "skyslot login"`,
    );
    await skyslot("rollout", "cancel", `${again.id}`);
  });

  it("says what differs if a rollout is changed between being shown and being started", async () => {
    const { id } = await json("rollout", "create", "1", "--approval", ...(await signedIn("ada")));
    await skyslot("rollout", "start", `${id}`);
    const asBob = await signedIn("bob");
    let isEdited = false;
    const { fetch } = globalThis;
    globalThis.fetch = async (input, init) => {
      if (`${input}`.endsWith("/approve") && !isEdited) {
        isEdited = true;
        const headers = {
          authorization: `Bearer ${line.server.adminToken}`,
          "content-type": "application/json",
          "if-match": "*",
        };
        const body = JSON.stringify({ priority: 7, lease_seconds: 60 });
        await fetch(`${line.server.url}/api/rollouts/${id}`, { method: "PATCH", headers, body });
      }
      return fetch(input, init);
    };
    const failed = await failure("rollout", "approve", `${id}`, "--yes", ...asBob).finally(() => {
      globalThis.fetch = fetch;
    });
    expect(isEdited).to.equal(true);
    expect(failed.message).to.contain(`has changed rollout ${id} meanwhile (lease seconds, priority)`);
    expect(failed.out)
      .to.match(/^ {2}Update timeout +30 min without progress → 1 min without progress$/m)
      .and.to.match(/^ {2}Priority +– → 7$/m);
    expect(await json("rollout", "show", `${id}`)).to.include({ state: "awaiting_approval", revision: 2 });
    await skyslot("rollout", "cancel", `${id}`);
    expect((await failure("rollout", "pause", `${id}`, "--revision", "1")).message).to.contain("412");
  });

  const tellUser = (name: string) =>
    fetch(`${line.server.url}/api/users`, {
      method: "POST",
      headers: { authorization: `Bearer ${line.server.adminToken}`, "content-type": "application/json" },
      body: JSON.stringify({ name, role: "operator", password: "correct horse battery" }),
    });
  /** Options with which a command is that user's, signed in. */
  const signedIn = async (name: string): Promise<string[]> => {
    const answer = await fetch(`${line.server.url}/api/auth/login`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ name, password: "correct horse battery" }),
    });
    const { access_token } = (await answer.json()) as { access_token: string };
    const file = join(line.folder, `${name}.token`);
    await writeFile(file, access_token);
    return ["--token-file", file];
  };
});
