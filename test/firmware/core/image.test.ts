import { expect } from "chai";
import { type ImageReader, newImageReader, readImage } from "../../../firmware/core/image.js";
import { buildFirmwareImage } from "../../../host-sim/hardware/firmware-image.js";

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
    for (const pieceBytes of [1, 3, 7, 100, 287, 288, 289, 1436, 4096, image.length]) {
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
      });
      expect(lengthBytes).equal(image.length);
    }
  });

  it("never holds more than one header", () => {
    let reader = newImageReader;
    let most = 0;
    for (let offset = 0; offset < image.length; offset++) {
      reader = readImage(reader, offset, image.subarray(offset, offset + 1));
      most = Math.max(most, reader.held.length);
    }
    expect(most).within(8, 288);
  });

  it("can be asked what it wants, so that a slot is read in a few pieces", () => {
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
    expect(reads).equal(3);
  });

  it("says what is wrong with something that is no image", () => {
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
