import { expect } from "chai";
import { chargePercent, readingsOf } from "../../../../firmware/apps/cms/core/readings.js";

describe("a sensor reading", () => {
  it("is reported in tenths, the battery as a share of its charge", () => {
    expect(readingsOf({ temperatureC: 21.4567, humidityPercent: 45.04, batteryMillivolts: 3800 })).deep.equal(
      {
        temperature_c: 21.5,
        humidity_percent: 45,
        battery_percent: 50,
      },
    );
  });

  it("is left out when it is missing or implausible", () => {
    expect(readingsOf({})).deep.equal({});
    expect(
      readingsOf({ temperatureC: 126, humidityPercent: -0.1, batteryMillivolts: Number.NaN }),
    ).deep.equal({});
    expect(readingsOf({ temperatureC: -40, humidityPercent: 100, batteryMillivolts: 1000 })).deep.equal({
      temperature_c: -40,
      humidity_percent: 100,
    });
  });

  it("never rises while the voltage falls", () => {
    const charges = Array.from({ length: 190 }, (_, i) => chargePercent(4_400 - i * 10));
    expect(charges[0]).equal(100);
    expect(charges.at(-1)).equal(0);
    expect(charges.every((charge, i) => i === 0 || charge <= charges[i - 1]!)).equal(true);
    expect(new Set(charges).size).above(50);
  });
});
