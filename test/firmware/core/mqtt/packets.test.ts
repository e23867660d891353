// The packets of a publisher, compared with those of the `mqtt-packet` of npm's mqtt, and what a broker may answer.

import { createRequire } from "node:module";
import { expect } from "chai";
import {
  connectPacket,
  disconnectPacket,
  pingPacket,
  publishPacket,
  readAnswer,
} from "../../../../firmware/core/mqtt/packets.js";

const { generate } = createRequire(createRequire(import.meta.url).resolve("mqtt"))("mqtt-packet") as {
  generate(packet: object): Buffer;
};

const WILL = { topic: "home/receiver-1/status", payload: "offline" };
const CONNECT = { clientId: "receiver-1", user: "", password: "", keepAliveSeconds: 60, will: WILL };

const expected = (packet: object) => [...generate(packet)];

describe("packets of MQTT", () => {
  for (const [user, password] of [
    ["", ""],
    ["anna", ""],
    ["anna", "pässwörd"],
  ] as const)
    it(`connect as "${user}" with "${password}"`, () => {
      const other = expected({
        cmd: "connect",
        protocolId: "MQTT",
        protocolVersion: 4,
        clean: true,
        clientId: "receiver-1",
        keepalive: 60,
        will: { topic: WILL.topic, payload: Buffer.from(WILL.payload), qos: 1, retain: true },
        ...(user ? { username: user } : {}),
        ...(password ? { password: Buffer.from(password) } : {}),
      });
      expect([...connectPacket({ ...CONNECT, user, password })]).deep.equal(other);
    });

  for (const length of [0, 1, 100, 127, 128, 900])
    it(`publish ${length} characters`, () => {
      for (const [isRetained, isAgain, id] of [
        [false, false, 1],
        [true, true, 0xffff],
      ] as const) {
        const payload = "é".repeat(length);
        const other = expected({
          cmd: "publish",
          topic: "a/b",
          payload: Buffer.from(payload),
          qos: 1,
          retain: isRetained,
          dup: isAgain,
          messageId: id,
        });
        expect([...publishPacket({ topic: "a/b", payload, isRetained }, id, isAgain)]).deep.equal(other);
      }
    });

  it("ping and disconnect", () => {
    expect([...pingPacket()]).deep.equal(expected({ cmd: "pingreq" }));
    expect([...disconnectPacket()]).deep.equal(expected({ cmd: "disconnect" }));
  });

  it("are read as they come, one after the other, whatever the pieces", () => {
    const sent = [
      ...expected({ cmd: "connack", returnCode: 0, sessionPresent: false }),
      ...expected({ cmd: "puback", messageId: 0x1234 }),
      ...expected({ cmd: "pingresp" }),
      ...expected({ cmd: "connack", returnCode: 5, sessionPresent: false }),
    ];
    for (let pieceBytes = 1; pieceBytes <= sent.length; pieceBytes++) {
      const answers = [];
      let held = new Uint8Array(0);
      for (let at = 0; at < sent.length; at += pieceBytes) {
        held = Uint8Array.from([...held, ...sent.slice(at, at + pieceBytes)]);
        for (let read = readAnswer(held); read && typeof read !== "string"; read = readAnswer(held)) {
          answers.push(read.answer);
          held = Uint8Array.from(read.rest);
        }
        expect(held.length).below(4);
      }
      expect(answers).deep.equal([
        { kind: "connected" },
        { kind: "published", id: 0x1234 },
        { kind: "alive" },
        { kind: "refused", reason: "this client is not authorized" },
      ]);
    }
  });

  it("of any other kind or length are faults, known by their first two bytes", () => {
    for (const bytes of [[0x30, 200], [0x00], [0xff], [0x20, 3], [0x40, 0xff], [0xd0, 1], [0x90], [0x62, 2]])
      expect(readAnswer(Uint8Array.from(bytes)), `${bytes}`).a("string");
    for (const bytes of [[], [0x20], [0x40, 2], [0x40, 2, 1]])
      expect(readAnswer(Uint8Array.from(bytes)), `${bytes}`).equal(undefined);
  });
});
