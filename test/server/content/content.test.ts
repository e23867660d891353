// Pictures for panels, from a real server over a real socket: what a device's HTTP client needs is in the bytes.

import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { pbmHeader, readPbmHeader } from "../../../firmware/apps/cms/core/pbm.js";
import { checkPicture, contentOf, folderContent, testCard } from "../../../server/content/content.js";
import { type RunningServer, startServer } from "../../../server/start.js";

const PICTURE = Buffer.concat([Buffer.from(pbmHeader(16, 2)), Buffer.from("ABCD")]);

describe("pictures for panels", () => {
  let folder: string;
  let server: RunningServer;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "skyslot-content-"));
    await mkdir(join(folder, "content"));
    server = await startServer({ dataDir: folder, port: 0 });
  });
  afterEach(async () => {
    await server.close();
    await rm(folder, { recursive: true });
  });

  const put = (name: string, bytes: Uint8Array = PICTURE) => writeFile(join(folder, "content", name), bytes);

  /** Head and body as they come, until the server closes the connection. */
  async function ask(path: string, headers = "", method = "GET"): Promise<{ head: string; body: Buffer }> {
    const { port } = new URL(server.url);
    const socket = connect(Number(port), "127.0.0.1");
    socket.write(`${method} ${path} HTTP/1.1\r\nhost: updates\r\nconnection: close\r\n${headers}\r\n`);
    const chunks: Buffer[] = [];
    for await (const chunk of socket) chunks.push(chunk as Buffer);
    const all = Buffer.concat(chunks);
    const end = all.indexOf("\r\n\r\n");
    return { head: all.toString("latin1", 0, end).toLowerCase(), body: all.subarray(end + 4) };
  }

  it("are sent to a device by its name, without a token, with a length and a strong ETag", async () => {
    await put("cms-0000a1.pbm");
    const { head, body } = await ask("/api/content/cms-0000a1");
    expect(head).match(/^http\/1\.1 200 ok\r\n/);
    expect(head).include("content-length: 12").and.include("cache-control: no-cache");
    expect(head).include("content-type: image/x-portable-bitmap").and.not.include("chunked");
    expect(head).match(/\r\netag: "[0-9a-f]{32}"/);
    expect(body.equals(PICTURE)).equal(true);
  });

  it("are not sent again to a client that has them, but the answer still has a length", async () => {
    await put("default.pbm");
    const { etag } = contentOf(PICTURE);
    for (const asked of [etag, `"other", ${etag}`, `W/${etag}`, "*"]) {
      const { head, body } = await ask("/api/content/cms-0000a1", `if-none-match: ${asked}\r\n`);
      expect(head, asked).match(/^http\/1\.1 304 not modified\r\n/);
      expect(head).include("\r\ncontent-length: 0").and.include(`etag: ${etag}`);
      expect(body).length(0);
    }
    expect((await ask("/api/content/cms-0000a1", 'if-none-match: "other"\r\n')).head).include(" 200 ok");
  });

  it("are new as soon as the file is", async () => {
    await put("default.pbm");
    const { etag } = contentOf(PICTURE);
    await put("default.pbm", Buffer.from("P4\n16 2\nABCE"));
    const { head, body } = await ask("/api/content/cms-0000a1", `if-none-match: ${etag}\r\n`);
    expect(head).include(" 200 ok");
    expect(body.toString()).include("ABCE");
  });

  it("are those of the device's type when there is none of its own", async () => {
    const check = { device_id: "hall", device_type: "cms", current_version: "1.0.0", current_build: 0 };
    await put("cms.pbm");
    expect((await ask("/api/content/hall")).head, "of no type yet").include(" 404 ");
    await server.app.inject({ method: "POST", url: "/api/ota/check", payload: check });
    expect((await ask("/api/content/hall")).head).include(" 200 ");
    await put("hall.pbm", Buffer.from("P4\n8 1\nX"));
    expect((await ask("/api/content/hall")).body.toString()).equal("P4\n8 1\nX");
  });

  it("are missing if nothing is assigned, and never a file outside the folder", async () => {
    await writeFile(join(folder, "secret.pbm"), PICTURE);
    const { head, body } = await ask("/api/content/cms-0000a1");
    expect(head).match(/^http\/1\.1 404 not found\r\n/);
    expect(body.toString()).include("CONTENT_NONE");
    for (const path of ["..%2fsecret", "..", "%2e%2e%2fsecret", ".secret", "a%00b", "x".repeat(65)])
      expect((await ask(`/api/content/${path}`)).head, path).match(/^http\/1\.1 (400|404) /);
    const content = folderContent(join(folder, "content"), async () => false);
    expect(await content.find({ id: "../secret" })).equal(undefined);
  });

  it("are a type's for its devices only, whatever a client calls itself", async () => {
    const secret = Buffer.concat([Buffer.from(pbmHeader(16, 2)), Buffer.from("shut")]);
    for (const type of ["cms", "door", "gate", "wall"]) await put(`${type}.pbm`, secret);
    await put("toy-1.pbm");
    const admin = (method: "PUT" | "POST", url: string, payload: object) =>
      server.app.inject({ method, url, payload, headers: { authorization: `Bearer ${server.adminToken}` } });
    const closed = { registration: "enrolment", tokens: "optional" };
    await admin("PUT", "/api/registration/cms", closed);
    await admin("PUT", "/api/types/door", { kind: "legacy" });
    await admin("POST", "/api/enrolment-tokens", { name: "gates", device_type: "gate" });
    const check = (device_id: string, device_type: string) =>
      server.app.inject({
        method: "POST",
        url: "/api/ota/check",
        payload: { device_id, device_type, current_version: "1.0.0", current_build: 0 },
      });
    await check("wall-1", "wall");
    for (const name of ["cms", "door", "gate", "wall"]) {
      expect((await ask(`/api/content/${name}`)).head, `unknown ${name}`).include(" 404 ");
      await check(name, "toy");
      expect((await ask(`/api/content/${name}`)).head, `a toy named ${name}`).include(" 404 ");
    }
    expect((await ask("/api/content/wall-1")).body.equals(secret)).equal(true);
    await check("wall", "wall");
    expect((await ask("/api/content/WALL")).head).include(" 404 ");
    await check("toy-1", "toy");
    expect((await ask("/api/content/toy-1")).body.equals(PICTURE)).equal(true);
  });

  it("are checked by the server: an invalid file is a server error", async () => {
    await put("default.pbm", Buffer.from("P4\n16 2\nABC"));
    expect((await ask("/api/content/cms-0000a1")).head).include(" 500 ");
    expect(() => checkPicture(Buffer.from("P4\n16 2\nABC"), "x.pbm")).throw("are 4 bytes, it has 3");
    expect(() => checkPicture(Buffer.from("P1\n"), "x.pbm")).throw("no binary PBM");
  });

  it("answer HEAD too", async () => {
    await put("default.pbm");
    const { head, body } = await ask("/api/content/cms-0000a1", "", "HEAD");
    expect(head).include("content-length: 12");
    expect(body).length(0);
  });

  it("can be a test card of any size", async () => {
    for (const [width, height] of [
      [200, 200],
      [122, 250],
      [13, 9],
    ] as const) {
      const { pbm } = (await testCard(width, height).find({ id: "cms-0000a1" }))!;
      checkPicture(pbm, "card");
      const { offset } = readPbmHeader(pbm)!;
      const rowBytes = (width + 7) >> 3;
      const isBlack = (x: number, y: number) =>
        (pbm[offset + y * rowBytes + (x >> 3)]! & (0x80 >> (x & 7))) !== 0;
      for (const [x, y] of [
        [0, 0],
        [width - 1, 0],
        [0, height - 1],
        [width - 1, height - 1],
      ] as const)
        expect(isBlack(x, y), `corner ${x} ${y}`).equal(true);
      expect(isBlack(1, 1)).equal(false);
    }
  });
});
