// The 40 bits of a DHT: values, signs, and what is none.

import { expect } from "chai";
import { readDht } from "../../../../firmware/apps/node/core/dht.js";

const sum = (...bytes: number[]): Uint8Array =>
  Uint8Array.of(
    ...bytes,
    bytes.reduce((all, one) => all + one, 0),
  );

describe("a DHT22", () => {
  it("says tenths, and cold by its first bit", () => {
    expect(readDht("dht22", sum(0x02, 0x8c, 0x01, 0x5f))).deep.equal({
      humidityPercent: 65.2,
      temperatureC: 35.1,
    });
    expect(readDht("dht22", sum(0x02, 0x8c, 0x80, 0x65))).deep.equal({
      humidityPercent: 65.2,
      temperatureC: -10.1,
    });
    expect(readDht("dht22", sum(0x03, 0xe8, 0x80, 0x00))).deep.equal({
      humidityPercent: 100,
      temperatureC: -0,
    });
  });

  it("is not believed with a wrong sum, out of its range, or with nothing but zeros", () => {
    expect(readDht("dht22", Uint8Array.of(0x02, 0x8c, 0x01, 0x5f, 0xef))).equal("checksum");
    expect(readDht("dht22", sum(0x03, 0xe9, 0x00, 0x10))).equal("out of range: 1.6 °C, 100.1 %");
    expect(readDht("dht22", sum(0x01, 0x00, 0x03, 0x21))).equal("out of range: 80.1 °C, 25.6 %");
    expect(readDht("dht22", sum(0x01, 0x00, 0x81, 0x91))).equal("out of range: -40.1 °C, 25.6 %");
    expect(readDht("dht22", new Uint8Array(5))).equal("only zeros");
    expect(readDht("dht22", new Uint8Array(0))).equal("checksum");
  });
});

describe("a DHT11", () => {
  it("says whole numbers and tenths", () => {
    expect(readDht("dht11", sum(45, 0, 23, 4))).deep.equal({ humidityPercent: 45, temperatureC: 23.4 });
    expect(readDht("dht11", sum(45, 0, 3, 0x81))).deep.equal({ humidityPercent: 45, temperatureC: -3.1 });
  });
});
