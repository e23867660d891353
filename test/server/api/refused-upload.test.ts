// An upload that is refused while its client still sends: the client gets the reason, and its connection is closed afterwards.

import { type AddressInfo, connect } from "node:net";
import { expect } from "chai";
import { TestServer } from "../test-server.js";

const BOUNDARY = "skyslot-test";
const MAX_IMAGE_BYTES = 1024;
/** More than a connection buffers, so that the rest has to be read. */
const CONTENT = Buffer.alloc(8 * 1024 * 1024);

describe("an upload that is refused halfway", () => {
  let server: TestServer;

  beforeEach(async () => {
    server = await TestServer.open({ maxImageBytes: MAX_IMAGE_BYTES });
    await server.app.listen({ port: 0, host: "127.0.0.1" });
  });
  afterEach(() => server.close());

  const part = (name: string): Buffer =>
    Buffer.concat([
      Buffer.from(
        `--${BOUNDARY}\r\ncontent-disposition: form-data; name="${name}"; filename="a.bin"\r\ncontent-type: application/octet-stream\r\n\r\n`,
      ),
      CONTENT,
      Buffer.from(`\r\n--${BOUNDARY}--\r\n`),
    ]);
  /** Sends it completely, and disconnects after the answer, as curl does. */
  const send = (path: string, body: Buffer, token: string): Promise<string> => {
    const { port } = server.app.server.address() as AddressInfo;
    return new Promise((resolve, reject) => {
      let answer = "";
      const socket = connect(port, "127.0.0.1");
      socket.on("error", reject);
      socket.on("data", (chunk) => {
        answer += chunk.toString();
        socket.end();
      });
      socket.on("close", () => resolve(answer));
      socket.write(
        `POST ${path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${token}\r\n` +
          `content-type: multipart/form-data; boundary=${BOUNDARY}\r\ncontent-length: ${body.length}\r\n\r\n`,
      );
      socket.write(body);
    });
  };
  const UPLOAD = "/api/ota/admin/upload";

  for (const [what, name, path, word] of [
    ["a file that is too long", "file", UPLOAD, "FILE_TOO_LARGE"],
    ["an unexpected part", "firmware", UPLOAD, "INVALID_REQUEST"],
    ["an unexpected picture", "firmware", "/api/content-admin/images", "INVALID_REQUEST"],
  ] as const)
    it(`closes the connection after ${what}`, async () => {
      expect(await send(path, part(name), server.token)).to.contain(word);
    });

  it("closes the connection of a client that may not upload", async () => {
    expect(await send(UPLOAD, part("file"), "nobody")).to.match(/^HTTP\/1.1 401 /);
  });
});
