// The packets of a publisher as bytes of the standard, and what a broker may answer. They are compared with another client's in
// test/firmware/mqtt, as XS has none.

import { expect } from "chai";
import {
  connectPacket,
  disconnectPacket,
  pingPacket,
  publishPacket,
  readAnswer,
} from "../../../../firmware/core/mqtt/packets.js";

const CONNECT = {
  clientId: "rx",
  user: "",
  password: "",
  keepAliveSeconds: 300,
  will: { topic: "h/s", payload: "off" },
};
const CLIENT_AND_WILL = [0, 2, 114, 120, 0, 3, 104, 47, 115, 0, 3, 111, 102, 102];

describe("packets of MQTT", () => {
  it("connect without a user: a clean session, a retained will at QoS 1", () => {
    const head = [0x10, 24, 0, 4, 77, 81, 84, 84, 4, 0x2e, 1, 44];
    expect([...connectPacket(CONNECT)]).deep.equal([...head, ...CLIENT_AND_WILL]);
    // 3.1.2.9: no password without a user
    expect([...connectPacket({ ...CONNECT, password: "secret" })]).deep.equal([...head, ...CLIENT_AND_WILL]);
  });

  it("connect with a user, and with a password of two-byte characters", () => {
    expect([...connectPacket({ ...CONNECT, user: "anna" })]).deep.equal([
      ...[0x10, 30, 0, 4, 77, 81, 84, 84, 4, 0xae, 1, 44],
      ...CLIENT_AND_WILL,
      ...[0, 4, 97, 110, 110, 97],
    ]);
    expect([...connectPacket({ ...CONNECT, user: "anna", password: "pä" })]).deep.equal([
      ...[0x10, 35, 0, 4, 77, 81, 84, 84, 4, 0xee, 1, 44],
      ...CLIENT_AND_WILL,
      ...[0, 4, 97, 110, 110, 97, 0, 3, 112, 0xc3, 0xa4],
    ]);
  });

  it("publish, retained, and again", () => {
    const message = { topic: "a/b", payload: "é", isRetained: false };
    const rest = [9, 0, 3, 97, 47, 98, 0x12, 0x34, 0xc3, 0xa9];
    expect([...publishPacket(message, 0x1234, false)]).deep.equal([0x32, ...rest]);
    expect([...publishPacket({ ...message, isRetained: true }, 0x1234, true)]).deep.equal([0x3b, ...rest]);
  });

  it("say a length from 128 in two bytes", () => {
    for (const [length, ...said] of [
      [120, 127],
      [121, 0x80, 1],
      [1_800, 0x8f, 14],
    ] as const) {
      const bytes = publishPacket({ topic: "a/b", payload: "x".repeat(length), isRetained: false }, 1, false);
      expect([...bytes.subarray(1, 1 + said.length)]).deep.equal(said);
      expect(bytes.length).equal(1 + said.length + 7 + length);
    }
  });

  it("ping and disconnect", () => {
    expect([...pingPacket()]).deep.equal([0xc0, 0]);
    expect([...disconnectPacket()]).deep.equal([0xe0, 0]);
  });

  it("are read as they come, one after the other, whatever the pieces", () => {
    const sent = [
      ...[0x20, 2, 0, 0], // connected
      ...[0x40, 2, 0x12, 0x34], // published
      ...[0xd0, 0], // alive
      ...[0x20, 2, 0, 5], // refused
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
