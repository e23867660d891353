// What a server, or a proxy in between, may answer: the device neither restarts nor hangs.

import { expect } from "chai";
import { Desk } from "../../host-sim/desk/desk.js";
import { imageOf } from "./rig.js";

const HOSTILE: Readonly<Record<string, string>> = {
  "a status line without a reason": "HTTP/1.1 200\r\ncontent-length: 0\r\n\r\n",
  "no status": "hello\r\n\r\n",
  "a status line of 60 KB": `HTTP/1.1 200 ${"a".repeat(60_000)}\r\n\r\n`,
  "a header of 60 KB": `HTTP/1.1 200 OK\r\netag: ${"a".repeat(60_000)}\r\n\r\n`,
  "20 000 headers": `HTTP/1.1 200 OK\r\n${"a: b\r\n".repeat(20_000)}\r\n`,
  "60 KB without an end of a line": "a".repeat(60_000),
  "a length of a chunk of 60 KB": `HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n${"1".repeat(60_000)}`,
  "chunks without an end": "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\n0\r\nx\r\n\r\n",
  "an empty header": "HTTP/1.1 200 OK\r\netag:\r\ncontent-length: 2\r\n\r\n{}",
  "two answers":
    "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}",
};
const PLAIN = "HTTP/1.1 503 Service Unavailable\r\ncontent-length: 2\r\n\r\n{}";

describe("a server that answers wrongly", () => {
  /** A device at home for twenty minutes whose server answers `text` to the first three requests, or closes if that is empty. */
  async function visit(text: string, app = "base") {
    const restarts: string[] = [];
    let requestCount = 0;
    const desk = new Desk({
      image: await imageOf(app, "1.0.0", "esp32", { server: "http://liar.skyslot.test:8080" }),
      server: { handler: async () => ({ status: 503 }) },
      onEvent: (event) => {
        if (event.type === "restarted") restarts.push(event.cause);
      },
    });
    const liar = desk.network.addHost("liar.skyslot.test", "203.0.113.66");
    liar.listen(8080, (socket) => {
      requestCount += 1;
      let unsent = Buffer.from(requestCount > 3 ? PLAIN : text, "latin1");
      const send = () => {
        const count = Math.min(socket.roomBytes, unsent.length);
        socket.write(unsent.subarray(0, count));
        unsent = unsent.subarray(count);
      };
      socket.events = {
        received() {
          socket.read();
          if (text === "") socket.close();
          else send();
        },
        sent: send,
        ended: () => socket.close(),
      };
    });
    desk.device.powerOn();
    await desk.world.runFor(1_200_000);
    desk.device.powerOff();
    return { requestCount, restarts };
  }

  for (const [what, text] of Object.entries(HOSTILE)) {
    it(`with ${what} is asked again, and does not restart the device`, async () => {
      const { requestCount, restarts } = await visit(text);
      expect(restarts).deep.equal([]);
      expect(requestCount).above(3);
    });
  }

  it("shows a bug of the firmware by a restart, although the SDK swallows what is thrown there", async () => {
    const { restarts } = await visit("", "throws-in-answer.ts");
    expect(restarts.length).above(0);
    expect(new Set(restarts)).deep.equal(new Set(["uncaught"]));
  });
});
