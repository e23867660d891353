// What a server, or a proxy in between, may answer: the device neither restarts nor hangs.

import { expect } from "chai";
import { Desk } from "../../host-sim/desk/desk.js";
import { sendRaw } from "../../host-sim/network/raw-answer.js";
import { HOSTILE } from "./hostile.js";
import { Odyssey } from "./odyssey.js";
import { imageOf } from "./rig.js";

const PLAIN = "HTTP/1.1 503 Service Unavailable\r\ncontent-length: 2\r\n\r\n{}";

describe("a server that answers wrongly", () => {
  /** A device at home for twenty minutes whose server answers `text` to the first three requests, or closes if there is none. */
  async function visit(text: string | undefined, app = "base") {
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
      const answer = requestCount > 3 ? PLAIN : text;
      socket.events = {
        received() {
          socket.read();
          if (answer === undefined) socket.close();
          else sendRaw(desk.world, socket, { pieces: [answer] });
        },
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
    const { restarts } = await visit(undefined, "throws-in-answer.ts");
    expect(restarts.length).above(0);
    expect(new Set(restarts)).deep.equal(new Set(["uncaught"]));
  });
});

// Kind: the SDK's resolver closes its socket at the first answer, and reads on in the same turn.
describe("a name server whose answers come twice", () => {
  for (const count of [2, 5])
    it(`does not restart the device: ${count} copies of each`, async () => {
      const odyssey = new Odyssey();
      try {
        await odyssey.start((_, honest) => honest());
        odyssey.rig.desk.home.dnsAnswerCount = count;
        await odyssey.expectUpdated();
      } finally {
        await odyssey.close();
      }
    });
});
