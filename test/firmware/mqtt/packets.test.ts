// The packets of a publisher, compared with those of the `mqtt-packet` of npm's mqtt.

import { createRequire } from "node:module";
import { expect } from "chai";
import {
  connectPacket,
  disconnectPacket,
  pingPacket,
  publishPacket,
  readAnswer,
} from "../../../firmware/core/mqtt/packets.js";

const { generate } = createRequire(createRequire(import.meta.url).resolve("mqtt"))("mqtt-packet") as {
  generate(packet: object): Buffer;
};

const WILL = { topic: "home/receiver-1/status", payload: "offline" };
const CONNECT = { clientId: "receiver-1", user: "", password: "", keepAliveSeconds: 60, will: WILL };

const expected = (packet: object) => [...generate(packet)];

describe("packets of MQTT, like those of another client,", () => {
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

  it("are read where they are answers", () => {
    for (const [packet, answer] of [
      [{ cmd: "connack", returnCode: 0, sessionPresent: false }, { kind: "connected" }],
      [
        { cmd: "puback", messageId: 0x1234 },
        { kind: "published", id: 0x1234 },
      ],
      [{ cmd: "pingresp" }, { kind: "alive" }],
      [
        { cmd: "connack", returnCode: 5, sessionPresent: false },
        { kind: "refused", reason: "this client is not authorized" },
      ],
    ] as const)
      expect(readAnswer(Uint8Array.from(expected(packet)))).deep.include({ answer });
  });
});
