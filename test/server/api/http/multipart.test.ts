import { expect } from "chai";
import { TestServer } from "../../test-server.js";

const ROUTES = ["/api/ota/admin/upload", "/api/v1/firmware/upload", "/api/content-admin/images"];
const HEAD = 'content-disposition: form-data; name="file"; filename="a.bin"';

describe("a multipart body", () => {
  let server: TestServer;
  before(async () => {
    server = await TestServer.open();
  });
  after(() => server.close());
  const send = (url: string, body: string, type = "multipart/form-data; boundary=x") =>
    server.app.inject({
      method: "POST",
      url,
      headers: { authorization: `Bearer ${server.token}`, "content-type": type },
      payload: body,
    });

  for (const url of ROUTES) {
    it(`that is malformed is refused by ${url}, without waiting for more`, async () => {
      const long = "a".repeat(30_000);
      const broken = {
        "ends in its file": `--x\r\n${HEAD}\r\n\r\n${long}`,
        "ends in a head": `--x\r\n${HEAD.slice(0, 30)}`,
        "has another boundary": `--y\r\n${HEAD}\r\n\r\n${long}\r\n--y--\r\n`,
        "has a part without a name": `--x\r\ncontent-disposition: form-data; filename="a"\r\n\r\n${long}\r\n--x--\r\n`,
        // The parser never reports the end of this one.
        "has a head with a line break": `--x\r\n${HEAD.replace("a.bin", "\n")}\r\n\r\n${long}\r\n--x--\r\n`,
      };
      for (const [name, body] of Object.entries(broken)) {
        const answer = await send(url, body);
        expect(answer.statusCode, `${name}: ${answer.body}`).to.equal(400);
      }
      expect((await send(url, "", "multipart/form-data")).statusCode).to.equal(400);
    });
  }
});
