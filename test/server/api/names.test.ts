import { readdir } from "node:fs/promises";
import { expect } from "chai";
import { arduinoImage, LegacyServer } from "../dialects/legacy-server.js";
import { makeRelease, TestServer } from "../test-server.js";

const stored = async (folder: string) =>
  (await readdir(folder, { recursive: true })).filter((name) => name.length > 60);

describe("names that would be paths", () => {
  let server: TestServer;
  before(async () => {
    server = await TestServer.open();
  });
  after(() => server.close());

  for (const name of [".", ".."])
    it(`"${name}" is no device, no type, no group of a policy and no target`, async () => {
      const post = (url: string, payload: object) => server.admin("POST", url, payload);
      for (const answer of [
        await server.check({ device_id: name }),
        await server.check({ device_type: name }),
        await server.check({ hardware: name }),
        await post("/api/device/register", { device_id: name, device_type: "base" }),
        await post("/api/rollouts", { firmware_id: 1, target: { devices: [name] } }),
        await post("/api/tokens", { name: "ci", scopes: ["read"], device_types: [name] }),
        await server.admin("PUT", `/api/types/${encodeURIComponent(name)}%2f`, { kind: "legacy" }),
      ])
        expect(answer.statusCode, answer.body).to.be.oneOf([400, 404]);
      expect(await server.store.countDevices()).equal(0);
    });

  it("leave others alone: dots inside, at the beginning and three of them", async () => {
    for (const device_id of ["a.b", ".a", "a.", "...", "a:b", "1"])
      expect((await server.check({ device_id })).statusCode, device_id).equal(200);
  });

  it("are no types of signed manifests", async () => {
    for (const name of [".", ".."]) {
      const answer = await server.upload(await makeRelease("1.0.0", { type: name }));
      expect(answer.statusCode, answer.body).to.be.oneOf([400, 422]);
    }
    expect(await stored(server.blobFolder)).deep.equal([]);
  });
});

describe("an uploaded file's name", () => {
  let legacy: LegacyServer;
  before(async () => {
    legacy = await LegacyServer.open("sensor");
  });
  after(() => legacy.close());

  let minor = 0;
  async function upload(partName: string, fields: Record<string, string> = {}) {
    const form = new FormData();
    const version = `1.${minor++}.0`;
    for (const [name, value] of Object.entries({ device_type: "sensor", version, ...fields }))
      form.set(name, value);
    form.set("file", new Blob([new Uint8Array(arduinoImage(version))]), partName);
    const encoded = new Response(form);
    const { app, token } = legacy.server;
    return app.inject({
      method: "POST",
      url: "/api/ota/admin/upload",
      headers: {
        authorization: `Bearer ${token}`,
        "content-type": encoded.headers.get("content-type") ?? "",
      },
      payload: Buffer.from(await encoded.arrayBuffer()),
    });
  }

  it("is taken without what has a meaning in paths, or replaced if nothing is left", async () => {
    for (const [given, taken] of [
      ["fw.bin", "fw.bin"],
      ["my firmware (2).bin", "my_firmware__2_.bin"],
      [".hidden.bin", "hidden.bin"],
      ["fw.bin...", "fw.bin"],
      ["fw\u0000.bin", "fw_.bin"],
      ["fw\r\nx-evil: 1.bin", undefined],
      [".", undefined],
      ["..", undefined],
      ["../../etc/passwd", undefined],
      ["..\\..\\boot.ini", undefined],
    ] as const) {
      const answer = await upload(given);
      expect(answer.statusCode, `${given}: ${answer.body}`).equal(201);
      const { filename, version } = answer.json();
      expect(filename, given).to.match(/^[A-Za-z0-9_+-][A-Za-z0-9._+-]*$/);
      if (taken !== undefined) expect(filename, given).equal(taken);
      else if (/^\.+$/.test(given)) expect(filename).equal(`sensor-${version}.bin`);
    }
  });

  it("is refused where somebody chose it, if it is a path or would not be kept as it is", async () => {
    for (const filename of [
      ".",
      "..",
      "...",
      ".profile",
      "fw.bin.",
      "a/b",
      "a\\b",
      "a\nb",
      "a b",
      "\u202enib",
    ]) {
      const answer = await upload("fw.bin", { filename });
      expect([answer.statusCode, answer.json().error], JSON.stringify(filename)).deep.equal([
        400,
        "INVALID_REQUEST",
      ]);
    }
    expect((await upload("fw.bin", { filename: "a.b-c_d+e" })).json().filename).equal("a.b-c_d+e");
  });
});

describe("an empty file", () => {
  it("is no firmware, signed or not, for a server or a mesh, and nothing of it is kept", async () => {
    const legacy = await LegacyServer.open("sensor");
    try {
      const { server } = legacy;
      const { release } = await makeRelease("1.0.0");
      for (const answer of [
        await legacy.upload(Buffer.alloc(0)),
        await legacy.upload(Buffer.alloc(0), { chip: "esp8266" }),
        await server.upload({ image: Buffer.alloc(0), release }),
      ]) {
        expect([answer.statusCode, answer.json().error]).deep.equal([400, "FILE_EMPTY"]);
        expect(answer.json().message).equal("the file is empty");
      }
      expect((await server.admin("GET", "/api/ota/admin/firmware")).json().total).equal(0);
      expect(await stored(server.blobFolder)).deep.equal([]);
      // Whole again, it is taken.
      expect((await legacy.upload(Buffer.from("x"))).statusCode).equal(201);
    } finally {
      await legacy.close();
    }
  });
});
