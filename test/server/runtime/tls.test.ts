// A server over TLS, as OpenSSL and curl see it: with the certificate of a private authority, and with what it has to refuse.

import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { type AddressInfo, connect as connectTcp, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect, type TLSSocket } from "node:tls";
import { promisify } from "node:util";
import { expect } from "chai";
import { makeCertificates, readServerNames } from "../../../server/runtime/certificates/private-ca.js";
import { MAX_RECORD_BYTES } from "../../../server/runtime/tls.js";
import { type RunningServer, startServer } from "../../../server/start.js";

const run = promisify(execFile);

describe("a server over TLS", () => {
  let folder: string;
  let server: RunningServer;
  let port: number;
  let ca: string;
  let stranger: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "skyslot-tls-"));
    const make = async (name: string) =>
      makeCertificates({
        folder: join(folder, name),
        names: readServerNames(["updates.test"], ["127.0.0.1"]),
        now: Date.now(),
      });
    const made = await make("own");
    ca = made.ca.pem;
    stranger = (await make("other")).ca.pem;
    server = await startServer({ dataDir: join(folder, "data"), port: 0, tls: made.server });
    port = Number(new URL(server.url).port);
  });
  after(async () => {
    await server.close();
    await rm(folder, { recursive: true });
  });

  const curl = async (...args: readonly string[]): Promise<string> => {
    const all = ["-sS", "--max-time", "20", ...args];
    return run("curl", all).then(
      ({ stdout }) => stdout,
      ({ code, stderr }: { code: number; stderr: string }) => `curl failed with ${code}: ${stderr}`,
    );
  };
  /** What s_client reports of a handshake. */
  const handshake = async (...args: readonly string[]): Promise<string> => {
    const all = ["s_client", "-connect", `127.0.0.1:${port}`, "-CAfile", ca, ...args];
    const child = run("openssl", all);
    child.child.stdin?.end();
    return child.then(
      ({ stdout }) => stdout,
      ({ stdout, stderr }: { stdout: string; stderr: string }) => `refused: ${stdout}${stderr}`,
    );
  };

  it("is accepted by curl with the authority's certificate, by address and by name", async () => {
    const health = '{"status":"ok"}';
    expect(await curl("--cacert", ca, `${server.url}/healthz`)).to.equal(health);
    const named = ["--connect-to", `updates.test:443:127.0.0.1:${port}`, "https://updates.test/healthz"];
    expect(await curl("--cacert", ca, ...named)).to.equal(health);
  });

  it("is refused by curl without it, with another one, and by another name", async () => {
    expect(await curl(`${server.url}/healthz`)).to.match(
      /failed with 60: .*self-signed|unable to get local issuer/,
    );
    expect(await curl("--cacert", stranger, `${server.url}/healthz`)).to.match(/failed with 60: /);
    const wrong = ["--connect-to", `other.test:443:127.0.0.1:${port}`, "https://other.test/healthz"];
    expect(await curl("--cacert", ca, ...wrong)).to.match(
      /failed with 60: .*no alternative certificate subject name/,
    );
  });

  it("speaks TLS 1.3 and 1.2, and sends a chain that OpenSSL verifies", async () => {
    for (const [version, suite] of [
      ["-tls1_3", "TLS_AES_128_GCM_SHA256"],
      ["-tls1_2", "ECDHE-ECDSA-AES128-GCM-SHA256"],
    ] as const) {
      const text = await handshake(version, "-verify_return_error", "-verify_hostname", "updates.test");
      expect(text, version).to.contain("Verify return code: 0 (ok)").and.to.contain(`Cipher is ${suite}`);
    }
  });

  it("speaks nothing older", async () => {
    // Level 0: otherwise it is OpenSSL that refuses to ask.
    for (const version of ["-tls1", "-tls1_1"])
      expect(await handshake(version, "-cipher", "ALL:@SECLEVEL=0"), version).to.match(
        /^refused: [\s\S]*alert protocol version/,
      );
  });

  it("refuses suites without keys of their own, and those without authenticated encryption", async () => {
    for (const suite of [
      "kRSA",
      "ECDHE-ECDSA-AES128-SHA256",
      "ECDHE-ECDSA-AES256-SHA",
      "ECDHE-ECDSA-AES128-CCM8",
      "aNULL",
      "eNULL",
    ])
      expect(await handshake("-tls1_2", "-cipher", `${suite}:@SECLEVEL=0`), suite).to.match(
        /^refused: [\s\S]*handshake failure/,
      );
  });

  it("does not compress, and does not renegotiate", async () => {
    expect(await handshake("-tls1_2")).to.contain("Compression: NONE");
    const socket = await open();
    const again = new Promise<string>((resolve) => {
      socket.on("error", (error) => resolve(error.message));
      socket.renegotiate({ rejectUnauthorized: false }, (error) => resolve(error?.message ?? "done"));
    });
    expect(await again).to.contain("no renegotiation");
    socket.destroy();
  });

  it("sends records that a device has memory for", async () => {
    const sizes: number[] = [];
    // In between, only to see the headers of the records.
    const tap = createServer((client) => {
      const upstream = connectTcp(port, "127.0.0.1");
      client.pipe(upstream);
      let rest = Buffer.alloc(0);
      upstream.on("data", (bytes) => {
        rest = Buffer.concat([rest, bytes]);
        while (rest.length >= 5 && rest.length >= 5 + rest.readUInt16BE(3)) {
          if (rest[0] === 23) sizes.push(rest.readUInt16BE(3));
          rest = rest.subarray(5 + rest.readUInt16BE(3));
        }
        client.write(bytes);
      });
      for (const socket of [client, upstream]) {
        socket.on("error", () => {});
        socket.on("close", () => (socket === client ? upstream : client).destroy());
      }
    });
    await new Promise<void>((resolve) => tap.listen(0, "127.0.0.1", resolve));
    const url = `https://127.0.0.1:${(tap.address() as AddressInfo).port}/api/docs/json`;
    const body = await curl("--cacert", ca, "--tls-max", "1.2", url);
    tap.close();
    expect(body.length).to.be.greaterThan(4 * MAX_RECORD_BYTES);
    // 8 bytes of nonce and 16 of tag.
    expect(Math.max(...sizes)).to.equal(MAX_RECORD_BYTES + 24);
  });

  const open = async (): Promise<TLSSocket> => {
    const socket = connect({ port, host: "127.0.0.1", ca: await readFile(ca), maxVersion: "TLSv1.2" });
    await new Promise<void>((resolve, reject) => {
      socket.once("secureConnect", resolve);
      socket.once("error", reject);
    });
    return socket;
  };
});
