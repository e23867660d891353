// What is actually sent: the device's HTTP client needs lengths and reason phrases and never a chunked body.

import { mkdtemp, rm } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { type RunningServer, startServer } from "../../../server/start.js";
import { type MadeRelease, makeRelease } from "../test-server.js";

describe("the server on a socket", () => {
  let folder: string;
  let server: RunningServer;
  let made: MadeRelease;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "skyslot-socket-"));
    made = await makeRelease("1.1.0");
    server = await startServer({ dataDir: folder, port: 0 });
    const form = new FormData();
    form.set("release", made.release);
    form.set("file", new Blob([new Uint8Array(made.image)]), "base.bin");
    const headers = { authorization: `Bearer ${server.adminToken}` };
    const answer = await fetch(`${server.url}/api/ota/admin/upload`, { method: "POST", body: form, headers });
    expect(answer.status).to.equal(201);
  });
  after(async () => {
    await server.close();
    await rm(folder, { recursive: true, force: true });
  });

  /** Sends bytes, reads until the server closes. */
  const exchange = (text: string): Promise<Buffer> =>
    new Promise((resolve, reject) => {
      const parts: Buffer[] = [];
      const socket = connect(Number(new URL(server.url).port), "127.0.0.1", () => socket.write(text));
      socket.on("data", (part) => parts.push(part));
      socket.on("end", () => resolve(Buffer.concat(parts)));
      socket.on("error", reject);
    });
  const request = async (line: string, headers: readonly string[] = [], body = "") => {
    const head = [`${line} HTTP/1.1`, "host: updates", "connection: close", ...headers].join("\r\n");
    const answer = await exchange(`${head}\r\n\r\n${body}`);
    const border = answer.indexOf("\r\n\r\n");
    const [status = "", ...fields] = answer.subarray(0, border).toString().split("\r\n");
    const named = new Map(
      fields.map((field) => [field.slice(0, field.indexOf(":")).toLowerCase(), field.split(": ")[1]]),
    );
    return { status, headers: named, body: answer.subarray(border + 4) };
  };

  it("sends a whole file with its length and no framing", async () => {
    const answer = await request("GET /api/ota/download/1");
    expect(answer.status).to.equal("HTTP/1.1 200 OK");
    expect(answer.headers.get("content-length")).to.equal(`${made.image.length}`);
    expect(answer.headers.has("transfer-encoding")).to.equal(false);
    expect(answer.body.equals(made.image)).to.equal(true);
  });

  it("sends a part as 206 with its length", async () => {
    const answer = await request("GET /api/ota/download/1", ["range: bytes=4096-20479"]);
    expect(answer.status).to.equal("HTTP/1.1 206 Partial Content");
    expect(answer.headers.get("content-length")).to.equal("16384");
    expect(answer.body.equals(made.image.subarray(4096, 20_480))).to.equal(true);
  });

  it("answers HEAD without a body and 416 with one", async () => {
    const head = await request("HEAD /api/ota/download/1");
    expect(head.headers.get("content-length")).to.equal(`${made.image.length}`);
    expect(head.body).to.have.length(0);
    const behind = await request("GET /api/ota/download/1", ["range: bytes=99999999-"]);
    expect(behind.status).to.equal("HTTP/1.1 416 Range Not Satisfiable");
    expect(behind.headers.get("content-length")).to.equal(`${behind.body.length}`);
  });

  it("sends every other answer with a length too", async () => {
    const json = ["content-type: application/json"];
    const body = JSON.stringify({
      device_id: "d",
      device_type: "base",
      current_version: "1.0.0",
      current_build: 0,
    });
    const answers = [
      await request("POST /api/ota/check", [...json, `content-length: ${body.length}`], body),
      await request("POST /api/ota/check", [...json, "content-length: 1"], "{"),
      await request("GET /nothing"),
      await request("GET /healthz"),
      await request("GET /api/devices", ["x-forwarded-for: 1.2.3.4"]),
    ];
    expect(answers.map(({ status }) => status.split(" ")[1])).to.deep.equal([
      "200",
      "400",
      "404",
      "200",
      "401",
    ]);
    for (const answer of answers) {
      expect(answer.headers.get("content-length"), answer.status).to.equal(`${answer.body.length}`);
      expect(answer.headers.has("transfer-encoding")).to.equal(false);
    }
    const broken = await exchange("BLAH\r\n\r\n");
    expect(broken.toString()).to.match(/^HTTP\/1\.1 400 Bad Request\r\nContent-Length: \d+/);
  });

  it("serves many clients at once", async () => {
    const all = await Promise.all(
      Array.from({ length: 40 }, () => fetch(`${server.url}/api/ota/download/1`)),
    );
    const bodies = await Promise.all(all.map((answer) => answer.arrayBuffer()));
    expect(bodies.every((body) => Buffer.from(body).equals(made.image))).to.equal(true);
  });

  it("keeps working after a client that disconnects in the middle", async () => {
    const socket = connect(Number(new URL(server.url).port), "127.0.0.1");
    socket.write("GET /api/ota/download/1 HTTP/1.1\r\nhost: a\r\n\r\n");
    await new Promise((resolve) => socket.once("data", resolve));
    socket.destroy();
    expect((await request("GET /healthz")).status).to.equal("HTTP/1.1 200 OK");
  });

  it("sends a watcher events as they happen, and none of failed transactions", async () => {
    const stream = await fetch(`${server.url}/api/events/stream`);
    expect(stream.headers.get("content-type")).to.match(/^text\/event-stream/);
    const reader = stream.body?.pipeThrough(new TextDecoderStream()).getReader();
    const check = { device_id: "watched", device_type: "base", current_version: "1.0.0", current_build: 0 };
    const post = (path: string, body: object) =>
      fetch(server.url + path, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(body),
      });
    await post("/api/ota/status", { device_id: "unknown", firmware_id: 1, status: "failed" });
    await post("/api/ota/check", check);
    let text = "";
    while (!text.includes("update.pending")) text += (await reader?.read())?.value ?? "";
    expect(text).to.match(/^event: device\ndata: \{"device_id":"watched"/m);
    expect(text).to.match(/^event: update\ndata: \{"id":\d+,"device_id":"watched"/m);
    expect(text).not.to.contain('unknown"');
    await reader?.cancel();
  });

  it("leaves room for other watchers, however many streams one user opens", async () => {
    const ended = new AbortController();
    const watch = async (headers: Record<string, string> = {}) => {
      const answer = await fetch(`${server.url}/api/events/stream`, { headers, signal: ended.signal });
      return answer.status;
    };
    const statuses = await Promise.all(Array.from({ length: 60 }, () => watch()));
    expect(statuses.filter((status) => status === 200))
      .to.have.length.below(60)
      .and.above(10);
    expect(new Set(statuses)).to.deep.equal(new Set([200, 503]));
    expect(await watch({ authorization: `Bearer ${server.adminToken}` })).to.equal(200);
    ended.abort();
  });

  it("keeps what it acknowledged when it is restarted", async () => {
    await server.close();
    server = await startServer({ dataDir: folder, port: 0 });
    const { devices } = (await (await fetch(`${server.url}/api/devices`)).json()) as {
      devices: { device_id: string }[];
    };
    expect(devices.map((device) => device.device_id)).to.include("watched");
    expect((await request("GET /api/ota/download/1")).body.equals(made.image)).to.equal(true);
  });

  it("serves the dashboard, bundled, under a strict policy", async () => {
    const page = await fetch(`${server.url}/`);
    expect(page.headers.get("content-security-policy"))
      .to.contain("default-src 'none'")
      .and.to.contain("script-src 'self'");
    const html = await page.text();
    expect(html).not.to.match(/(src|href)="(https?:)?\/\//);
    const script = await (await fetch(`${server.url}/dashboard/client.js`)).text();
    const style = await (await fetch(`${server.url}/dashboard/client.css`)).text();
    expect(script).to.contain("/api/events/stream");
    expect(style).to.contain("color-scheme:light dark");
  });
});
