import { expect } from "chai";
import { type ImageReader, newImageReader, readImage } from "../../../../firmware/core/update/image.js";
import { buildAppImage } from "../../../../host-sim/hardware/image/app-image-builder.js";
import { buildFirmwareImage } from "../../../../host-sim/hardware/image/firmware-image.js";

const image = buildFirmwareImage({
  chip: "esp32",
  version: "1.1.0",
  build: 7,
  project: "base",
  bundle: "x".repeat(70_001),
  date: "Nov 21 2026",
  time: "12:00:00",
});

const readIn = (pieceBytes: number, bytes = image): ImageReader => {
  let reader = newImageReader;
  for (let offset = 0; offset < bytes.length; offset += pieceBytes) {
    reader = readImage(reader, offset, bytes.subarray(offset, offset + pieceBytes));
  }
  return reader;
};

describe("image reader", () => {
  it("finds the description and the length, however the stream is cut", () => {
    for (const pieceBytes of [1, 3, 7, 100, 287, 288, 289, 303, 304, 305, 1436, 4096, image.length]) {
      const { description, lengthBytes, error } = readIn(pieceBytes);
      expect(error, `${pieceBytes}`).equal(undefined);
      expect(description).include({
        chip: "esp32",
        version: "1.1.0+7",
        project: "base",
        date: "Nov 21 2026",
        time: "12:00:00",
        segmentCount: 3,
        hashAppended: true,
        nvs: "plain",
      });
      expect(lengthBytes).equal(image.length);
    }
  });

  it("never holds more than one header", () => {
    let reader = newImageReader;
    let most = 0;
    for (let offset = 0; offset < image.length; offset++) {
      reader = readImage(reader, offset, image.subarray(offset, offset + 1));
      most = Math.max(most, reader.buffered.length);
    }
    expect(most).within(8, 288);
  });

  it("reports how many bytes it needs next, so that a slot is read in a few pieces", () => {
    let reader = newImageReader;
    let reads = 0;
    while (reader.needLength > 0) {
      reader = readImage(
        reader,
        reader.needOffset,
        image.subarray(reader.needOffset, reader.needOffset + reader.needLength),
      );
      reads++;
    }
    expect(reader.lengthBytes).equal(image.length);
    expect(reads).equal(4);
  });

  it("finds how the settings are stored, if the image says so", () => {
    const kindOf = (bytes: Uint8Array, pieceBytes: number) => readIn(pieceBytes, bytes).description?.nvs;
    const built = (nvs: "plain" | "encrypted" | null) =>
      buildFirmwareImage({ chip: "esp32c3", version: "1.1.0", project: "base", bundle: "1", nvs });
    for (const pieceBytes of [1, 16, 288, 300, 4096]) {
      expect(kindOf(built("encrypted"), pieceBytes)).equal("hmac5");
      expect(kindOf(built("plain"), pieceBytes)).equal("plain");
      expect(kindOf(built(null), pieceBytes)).equal(undefined);
    }
    const changed = (kind: number, key: number) => {
      const bytes = built("plain");
      bytes.set([kind, key], 293);
      return kindOf(bytes, 4096);
    };
    expect(changed(1, 0)).equal("hmac0");
    expect(changed(2, 0)).equal("nvs-keys");
    expect(changed(3, 0)).equal(undefined);
  });

  it("finds what it speaks with its peer, if the image says so", () => {
    const built = (pair?: { protocol: number; minCompatible: number }) =>
      buildFirmwareImage({
        chip: "esp32c3",
        version: "1.1.0",
        project: "base",
        bundle: "1",
        ...(pair ? { pair } : {}),
      });
    for (const pieceBytes of [1, 16, 288, 300, 4096]) {
      const paired = built({ protocol: 255, minCompatible: 0xfffefdfc });
      expect(readIn(pieceBytes, paired).description).include({
        protocolVersion: 255,
        minCompatible: 0xfffefdfc,
        nvs: "plain",
      });
      // of a build from before these fields, whose bytes are zero
      expect(readIn(pieceBytes, built()).description).not.have.any.keys("protocolVersion", "minCompatible");
    }
    const any = readIn(4096, built({ protocol: 3, minCompatible: 0 })).description;
    expect(any).property("protocolVersion", 3);
    expect(any).not.property("minCompatible");
  });

  it("reads an image whose first segment holds nothing but ESP-IDF's description", () => {
    const small = buildAppImage({
      chip: "esp32",
      version: "1.1.0",
      project: "base",
      segments: [
        { loadAddress: 0x3f400020, data: new Uint8Array() },
        { loadAddress: 0x40080000, data: new Uint8Array(64) },
      ],
    });
    for (const pieceBytes of [1, 288, 290, 296, 4096]) {
      const { lengthBytes, error, description } = readIn(pieceBytes, small);
      expect(error).equal(undefined);
      expect(lengthBytes).equal(small.length);
      expect(description?.nvs).equal(undefined);
    }
  });

  it("says what is wrong with something that is not an image", () => {
    const changed = (offset: number, value: number) => {
      const bytes = image.slice();
      bytes[offset] = value;
      return readIn(4096, bytes).error;
    };
    expect(changed(0, 0x7f)).match(/first byte is 0x7f/);
    expect(changed(1, 17)).match(/17 segments/);
    expect(changed(32, 0)).match(/no application description/);
    expect(changed(31, 0xff)).match(/segment 0 claims 4278\d+ bytes/);
    expect(readIn(4096, new Uint8Array(4096).fill(0xff)).error).match(/0xff/);
  });
});
