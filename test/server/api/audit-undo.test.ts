import { expect } from "chai";
import { makeRelease, TestServer } from "../test-server.js";

describe("taking a change back from the audit log", () => {
  let server: TestServer;
  beforeEach(async () => {
    server = await TestServer.open();
  });
  afterEach(() => server.close());

  interface Entry {
    readonly id: number;
    readonly undo: string | null;
  }
  const entries = async (subject: string): Promise<readonly Entry[]> =>
    (await server.admin("GET", `/api/audit?subject=${subject}`)).json().entries;
  const newest = async (subject: string): Promise<Entry> => {
    const [entry] = await entries(subject);
    if (!entry) throw new Error(`the log has nothing about ${subject}`);
    return entry;
  };
  const undo = (id: number, token = server.token) => server.as(token, "POST", `/api/audit/${id}/undo`);
  /** Takes the newest change of a subject back. */
  async function undoNewest(subject: string): Promise<string> {
    const { id, undo: promised } = await newest(subject);
    const answer = await undo(id);
    expect(answer.statusCode, answer.body).to.equal(200);
    expect(answer.json()).to.deep.equal({ id, outcome: promised });
    return answer.json().outcome;
  }

  it("stops offering a release that was made stable, or was uploaded as stable", async () => {
    await server.upload(await makeRelease("1.1.0"), { is_stable: "false" });
    expect((await newest("firmware/1")).undo).to.equal(null);
    await server.admin("PATCH", "/api/ota/admin/firmware/1", { is_stable: true, release_notes: "kept" });
    expect(await undoNewest("firmware/1")).to.equal("base 1.1.0 is not stable again: only rollouts offer it");
    const firmware = (await server.admin("GET", "/api/ota/admin/firmware/1")).json();
    expect(firmware).to.include({ is_stable: false, release_notes: "kept" });
    await server.upload(await makeRelease("1.2.0"));
    await undoNewest("firmware/2");
    expect((await server.admin("GET", "/api/ota/admin/firmware/2")).json().is_stable).to.equal(false);
  });

  it("leaves its own line in the log, which cannot be undone: that would offer the release again", async () => {
    await server.upload(await makeRelease("1.1.0"));
    await undoNewest("firmware/1");
    const [line, upload] = await entries("firmware/1");
    expect(line).to.deep.include({
      action: "firmware.changed",
      before: { is_stable: true },
      after: { is_stable: false },
      undo: null,
    });
    expect(upload?.undo).to.equal(null);
    for (const id of [line?.id ?? 0, upload?.id ?? 0]) {
      const answer = await undo(id);
      expect([answer.statusCode, answer.json().error]).to.deep.equal([409, "NOT_UNDOABLE"]);
    }
  });

  it("makes a release inactive again, and one that was deactivated stays so", async () => {
    await server.upload(await makeRelease("1.1.0"), { is_stable: "false" });
    await server.admin("DELETE", "/api/ota/admin/firmware/1");
    expect((await newest("firmware/1")).undo).to.equal(null);
    await server.admin("PATCH", "/api/ota/admin/firmware/1", { is_active: true });
    expect(await undoNewest("firmware/1")).to.contain("base 1.1.0 is inactive again");
    expect((await server.admin("GET", "/api/ota/admin/firmware/1")).json().is_active).to.equal(false);
  });

  it("makes a type signed again, but not legacy", async () => {
    await server.admin("PUT", "/api/types/led", { kind: "legacy" });
    await undoNewest("type/led");
    expect((await server.store.findType("led"))?.kind).to.equal("signed");
    expect((await entries("type/led")).map((entry) => entry.undo)).to.deep.equal([null, null]);
  });

  it("closes registration that was opened, field by field and by a whole policy, and never opens it", async () => {
    const set = (type: string, registration: string, tokens: string) =>
      server.admin("PUT", `/api/registration/${type}`, { registration, tokens });
    await set("*", "enrolment", "required");
    expect((await newest("registration/*")).undo).to.equal(null);
    await set("led", "open", "required");
    await undoNewest("registration/led");
    expect(await server.store.findPolicies(["led"])).to.deep.equal([]);
    await set("led", "approval", "required");
    await set("led", "open", "required");
    expect(await undoNewest("registration/led")).to.equal(
      "type led: registration is approval, tokens are required again",
    );
    await set("led", "enrolment", "optional");
    expect((await newest("registration/led")).undo).to.equal(null);
    expect(await server.store.findPolicies(["led"])).to.deep.equal([
      { deviceType: "led", registration: "enrolment", tokens: "optional" },
    ]);
  });

  it("takes a role back, disables who was enabled, and gives nobody more", async () => {
    await server.addUser("ada", "admin");
    await server.addUser("bob", "viewer");
    await server.admin("PATCH", "/api/users/bob", { role: "admin" });
    expect(await undoNewest("user/bob")).to.equal("bob is a viewer again");
    await server.admin("PATCH", "/api/users/bob", { is_active: false });
    expect((await newest("user/bob")).undo).to.equal(null);
    await server.admin("PATCH", "/api/users/bob", { is_active: true });
    await undoNewest("user/bob");
    const user = await server.store.findUserByName("bob");
    expect(user).to.include({ role: "viewer", isActive: false });
  });

  it("needs what the change itself needed, and refuses what is not there", async () => {
    const { access: operator } = await server.addUser("olga", "operator");
    const { access: viewer } = await server.addUser("viv", "viewer");
    await server.upload(await makeRelease("1.1.0"));
    await server.admin("PUT", "/api/types/led", { kind: "legacy" });
    const type = await newest("type/led");
    const release = await newest("firmware/1");
    expect((await undo(type.id, operator)).json()).to.include({ error: "FORBIDDEN" });
    expect((await undo(release.id, viewer)).statusCode).to.equal(403);
    expect((await undo(999)).json()).to.include({ error: "AUDIT_UNKNOWN" });
    expect((await server.store.findType("led"))?.kind).to.equal("legacy");
    expect((await undo(release.id, operator)).statusCode).to.equal(200);
    expect((await entries("firmware/1"))[0]).to.include({ actor: "olga" });
  });
});
