// Operators' actions on panels, through the API, and what the devices receive.

import { expect } from "chai";
import { pbmHeader } from "../../../firmware/apps/cms/core/pbm.js";
import { START_MS, TestServer } from "../test-server.js";

const HOUR_MS = 3_600_000;
const IMAGES = "/api/content-admin/images";
const ASSIGNMENTS = "/api/content-admin/assignments";

const pbm = (width: number, height: number, ...rows: number[]): Buffer =>
  Buffer.concat([Buffer.from(pbmHeader(width, height)), Buffer.from(rows)]);
const [SUN, MOON] = [pbm(16, 2, 1, 2, 3, 4), pbm(16, 2, 5, 6, 7, 8)];

describe("the administration of panels", () => {
  let server: TestServer;
  beforeEach(async () => {
    server = await TestServer.open();
  });
  afterEach(() => server.close());

  async function upload(file: Buffer | undefined, name: string | undefined, token = server.token) {
    const form = new FormData();
    if (name !== undefined) form.set("name", name);
    if (file) form.set("file", new Blob([new Uint8Array(file)]), "picture.pbm");
    const encoded = new Response(form);
    return server.app.inject({
      method: "POST",
      url: IMAGES,
      headers: {
        authorization: `Bearer ${token}`,
        "content-type": encoded.headers.get("content-type") ?? "",
      },
      payload: Buffer.from(await encoded.arrayBuffer()),
    });
  }
  const idOf = async (file: Buffer, name: string): Promise<number> => (await upload(file, name)).json().id;
  const assign = (image_id: number, target: object, more: object = {}, token = server.token) =>
    server.as(token, "POST", ASSIGNMENTS, { image_id, target, ...more });
  const shown = async (device: string): Promise<Buffer | number> => {
    const answer = await server.app.inject(`/api/content/${device}`);
    return answer.statusCode === 200 ? answer.rawPayload : answer.statusCode;
  };
  const meet = (id: string, group?: string) =>
    server
      .check({ device_id: id, device_type: "cms" })
      .then(() => (group ? server.admin("PATCH", `/api/devices/${id}`, { group }) : undefined));
  const iso = (time: number) => new Date(time).toISOString();

  it("accepts a picture, lists it, and returns its bytes", async () => {
    const answer = await upload(SUN, "Summer");
    expect(answer.statusCode, answer.body).to.equal(201);
    expect(answer.json()).to.include({ name: "Summer", width: 16, height: 2, size_bytes: SUN.length });
    await upload(MOON, "Winter");
    const { images, total } = (await server.admin("GET", IMAGES)).json();
    expect([images.map(({ name }: { name: string }) => name), total]).to.deep.equal([
      ["Winter", "Summer"],
      2,
    ]);
    const fetched = await server.admin("GET", `${IMAGES}/${answer.json().id}`);
    expect(fetched.headers["content-type"]).to.equal("image/x-portable-bitmap");
    expect(fetched.rawPayload.equals(SUN)).to.equal(true);
    expect((await server.admin("GET", `${IMAGES}/99`)).json().error).to.equal("IMAGE_UNKNOWN");
  });

  it("stores the same dots as the same file, whatever program wrote it", async () => {
    const plain = await upload(pbm(12, 1, 0xab, 0xc0), "plain");
    const edited = Buffer.concat([Buffer.from("P4\n# an editor\n12 1\n"), Buffer.from([0xab, 0xcf])]);
    expect((await upload(edited, "edited")).json().sha256).to.equal(plain.json().sha256);
  });

  it("refuses what is not a picture, and keeps nothing of it", async () => {
    const huge = Buffer.concat([Buffer.from(pbmHeader(4096, 4096)), Buffer.alloc(3 * 1024 * 1024)]);
    const png = Buffer.from("89504e470d0a1a0a", "hex");
    for (const [file, name, status, code] of [
      [SUN.subarray(0, -1), "short", 422, "PICTURE_INVALID"],
      [Buffer.concat([SUN, SUN]), "long", 422, "PICTURE_INVALID"],
      [Buffer.from("P4\n5000 1\n"), "wide", 422, "PICTURE_INVALID"],
      [Buffer.from("P4\n0 0\n"), "no pixels", 422, "PICTURE_INVALID"],
      [png, "another format", 422, "PICTURE_INVALID"],
      [huge, "huge", 413, "FILE_TOO_LARGE"],
      [undefined, "none", 400, "FILE_MISSING"],
      [SUN, undefined, 400, "INVALID_REQUEST"],
      [SUN, "", 400, "INVALID_REQUEST"],
      [SUN, "a\nb", 400, "INVALID_REQUEST"],
      [SUN, " x", 400, "INVALID_REQUEST"],
      [SUN, "x".repeat(81), 400, "INVALID_REQUEST"],
    ] as const) {
      const answer = await upload(file && Buffer.from(file), name);
      expect([answer.statusCode, answer.json().error], `${name}: ${answer.body}`).to.deep.equal([
        status,
        code,
      ]);
    }
    const json = await server.admin("POST", IMAGES, { name: "x" });
    expect([json.statusCode, json.json().error]).to.deep.equal([415, "MEDIA_TYPE_UNKNOWN"]);
    expect((await server.admin("GET", IMAGES)).json().total).to.equal(0);
  });

  it("shows a picture to a device, a group, a type and all, the most specific first", async () => {
    await meet("hall", "berlin");
    await meet("roof", "berlin");
    await meet("yard");
    const ids: number[] = [];
    for (let dots = 0; dots < 4; dots++) ids.push(await idOf(pbm(8, 1, dots), `picture ${dots}`));
    expect(await shown("hall")).to.equal(404);
    await assign(ids[0]!, { kind: "device", name: "hall" });
    await assign(ids[1]!, { kind: "group", name: "berlin" });
    await assign(ids[2]!, { kind: "type", name: "cms" });
    await assign(ids[3]!, { kind: "default" });
    const dots: unknown[] = [];
    for (const device of ["hall", "roof", "yard", "stranger"])
      dots.push(((await shown(device)) as Buffer).at(-1));
    expect(dots).to.deep.equal([0, 1, 2, 3]);
    const said = (await server.admin("GET", "/api/content-admin/devices/roof")).json();
    expect(said.image.id).to.equal(ids[1]);
    expect(said.assignment.target).to.deep.equal({ kind: "group", name: "berlin" });
  });

  it("follows a schedule: another picture for an hour, with another ETag", async () => {
    const [sun, moon] = [await idOf(SUN, "sun"), await idOf(MOON, "moon")];
    await assign(sun, { kind: "default" });
    const from = START_MS + HOUR_MS;
    const added = await assign(
      moon,
      { kind: "device", name: "hall" },
      { from: iso(from), until: iso(from + HOUR_MS) },
    );
    expect(added.json().is_in_force).to.equal(false);
    const etags: unknown[] = [];
    for (const [afterMs, expected] of [
      [0, SUN],
      [HOUR_MS - 1, SUN],
      [HOUR_MS, MOON],
      [2 * HOUR_MS, SUN],
    ] as const) {
      server.nowMs = START_MS + afterMs;
      expect((await shown("hall")) as Buffer, `${afterMs}`).to.deep.equal(expected);
      etags.push((await server.app.inject("/api/content/hall")).headers.etag);
    }
    expect(etags[0]).to.equal(etags[3]).and.not.to.equal(etags[2]);
    const headers = { "if-none-match": String(etags[3]) };
    expect((await server.app.inject({ url: "/api/content/hall", headers })).statusCode).to.equal(304);
  });

  it("follows times of the week", async () => {
    const moon = await idOf(MOON, "moon");
    const windows = { time_zone: "UTC", spans: [{ weekdays: [6], from: "12:00", to: "13:00" }] };
    const added = await assign(moon, { kind: "default" }, { windows });
    expect(added.json()).to.deep.include({ windows, is_in_force: true });
    expect(await shown("hall")).to.deep.equal(MOON);
    server.nowMs += HOUR_MS;
    expect(await shown("hall")).to.equal(404);
  });

  it("refuses assignments that could never be shown or are unclear", async () => {
    const sun = await idOf(SUN, "sun");
    const all = { kind: "default" };
    const past = iso(START_MS - 1);
    const span = { weekdays: [1], from: "08:00", to: "09:00" };
    for (const [answer, words] of [
      [await assign(sun, all, { until: past }), "would have ended already"],
      [await assign(sun, all, { from: iso(START_MS + 2), until: iso(START_MS + 1) }), "is not after"],
      [await assign(sun, all, { from: "2026-12-01T08:00" }), "from"],
      [await assign(sun, all, { from: "2026-13-01T08:00Z" }), "is not a valid time"],
      [await assign(sun, all, { windows: { time_zone: "Mars", spans: [span] } }), "not a time zone"],
      [await assign(sun, { kind: "planet", name: "x" }), "target"],
      [await assign(sun, { kind: "device" }), "target"],
      [await assign(sun, { kind: "device", name: "../x" }), "target"],
    ] as const) {
      expect([answer.statusCode, answer.json().error], answer.body).to.deep.equal([400, "INVALID_REQUEST"]);
      expect(answer.json().message).to.contain(words);
    }
    expect((await assign(99, all)).json().error).to.equal("IMAGE_UNKNOWN");
    expect((await server.admin("GET", ASSIGNMENTS)).json().total).to.equal(0);
  });

  it("deletes a picture only when it is not assigned", async () => {
    const sun = await idOf(SUN, "sun");
    const assignment = (await assign(sun, { kind: "default" })).json().id;
    const refused = await server.admin("DELETE", `${IMAGES}/${sun}`);
    expect([refused.statusCode, refused.json().error]).to.deep.equal([409, "IMAGE_IN_USE"]);
    expect((await server.admin("DELETE", `${ASSIGNMENTS}/${assignment}`)).statusCode).to.equal(200);
    expect((await server.admin("DELETE", `${ASSIGNMENTS}/${assignment}`)).statusCode).to.equal(404);
    expect(await shown("hall")).to.equal(404);
    expect((await server.admin("DELETE", `${IMAGES}/${sun}`)).statusCode).to.equal(200);
    expect((await server.admin("DELETE", `${IMAGES}/${sun}`)).statusCode).to.equal(404);
    const actions = (await server.admin("GET", "/api/audit"))
      .json()
      .entries.map(({ action }: { action: string }) => action);
    expect(actions.filter((action: string) => action.startsWith("content."))).to.deep.equal([
      "content.deleted",
      "content.unassigned",
      "content.assigned",
      "content.uploaded",
    ]);
  });

  it("limits the number of assignments per target", async () => {
    const sun = await idOf(SUN, "sun");
    for (let count = 0; count < 100; count++)
      expect((await assign(sun, { kind: "default" })).statusCode).to.equal(201);
    const answer = await assign(sun, { kind: "default" });
    expect([answer.statusCode, answer.json().error]).to.deep.equal([409, "ASSIGNMENT_LIMIT"]);
    expect((await assign(sun, { kind: "type", name: "cms" })).statusCode).to.equal(201);
  });

  it("lets a token for some types change devices of these only", async () => {
    await meet("hall", "berlin");
    await server.check({ device_id: "lamp", device_type: "led" });
    const sun = await idOf(SUN, "sun");
    await server.addUser("ada", "operator");
    const made = await server.admin("POST", "/api/tokens", {
      name: "cms only",
      scopes: ["content:write"],
      device_types: ["cms"],
      user: "ada",
    });
    expect(made.statusCode, made.body).to.equal(201);
    const { token } = made.json();
    const moon = await upload(MOON, "moon", token);
    expect(moon.statusCode).to.equal(201);
    const cms = { kind: "type", name: "cms" };
    expect((await assign(sun, cms, {}, token)).json().error, "another's").to.equal("IMAGE_UNKNOWN");
    for (const [target, status] of [
      [{ kind: "device", name: "hall" }, 201],
      [{ kind: "type", name: "cms" }, 201],
      [{ kind: "device", name: "lamp" }, 403],
      [{ kind: "device", name: "stranger" }, 403],
      [{ kind: "type", name: "led" }, 403],
      [{ kind: "group", name: "berlin" }, 403],
      [{ kind: "default" }, 403],
    ] as const)
      expect((await assign(moon.json().id, target, {}, token)).statusCode, JSON.stringify(target)).to.equal(
        status,
      );
    await assign(sun, cms);
    expect((await assign(sun, cms, {}, token)).statusCode, "its type shows it").to.equal(201);
    const all = (await assign(sun, { kind: "default" })).json().id;
    expect((await server.as(token, "DELETE", `${ASSIGNMENTS}/${all}`)).statusCode).to.equal(403);
    const { access } = await server.addUser("eve", "viewer");
    expect((await upload(SUN, "sun", access)).statusCode).to.equal(403);
    expect((await assign(sun, { kind: "default" }, {}, access)).statusCode).to.equal(403);
  });
});
