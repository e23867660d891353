// Nodes in their roles inside XS: a button is pressed, a DHT is read, a light hears of motion. Without a gateway: signals need none.

import { expect } from "chai";
import { groupOf } from "../../firmware/core/radio/beacon.js";
import { Desk } from "../../host-sim/desk/desk.js";
import { BROADCAST } from "../../host-sim/network/espnow-air.js";
import { buildXs } from "../../host-sim/xs/build.js";
import { xsEngine } from "../../host-sim/xs/engine.js";
import { nodeImage } from "../journey/mesh/field.js";

const ROLES = ["button", "led", "dht"] as const;
const INPUT_PIN = 27;
const LIGHT_PIN = 26;
const HEAD_BYTES = 8;

describe("nodes in their roles inside XS", function () {
  this.timeout(60_000);

  it("hear their pins, say what they measure, and do what others say", async () => {
    const { program } = buildXs();
    const images = await Promise.all(ROLES.map((role) => nodeImage("1.0.0", { type: role, role })));
    const light: number[] = [];
    const said = new Set<string>();
    const desk = new Desk({
      server: { handler: () => Promise.reject(new Error("nobody asks")) },
      devices: ROLES.map((name, index) => ({ name, image: images[index], engine: xsEngine({ program }) })),
      onLight: (shown, name) => {
        if (name === "led" && shown.type === "pin" && shown.pin === LIGHT_PIN) light.push(shown.level);
      },
    });
    const { world, network, devices } = desk;
    network.espNow.observers.add(({ bytes }) => {
      if (bytes[0] === 0x40) said.add(Buffer.from(bytes.subarray(HEAD_BYTES)).toString());
    });
    const [button, , dht] = devices;
    dht!.surroundWith({ temperatureC: -3.24, humidityPercent: 81 });
    for (const device of devices) device.powerOn();
    await world.runFor(3_000);
    for (const level of [0, 1, 0] as const) {
      button!.pins.drive(INPUT_PIN, level);
      await world.runFor(3);
    }
    await world.runFor(2_000);
    expect([...said]).members([
      '{"role":"button","button":1}',
      '{"role":"dht","temperature":-3.2,"humidity":81}',
    ]);

    // they look for a gateway on one channel after the other
    const { radio } = network.attach({ name: "motion", mac: Uint8Array.of(2, 0, 0, 0, 0, 9) });
    radio.start(1);
    radio.espNow.init();
    radio.espNow.addPeer(BROADCAST);
    // it may have been on the button's channel when that was pressed
    const wanted = 1 - light.at(-1)!;
    const frame = Buffer.from(`\x40\x01\0\0\0\0\0\0{"role":"pir","motion":${wanted}}`, "latin1");
    frame.writeUInt32LE(groupOf("mesh"), 2);
    light.splice(0);
    for (let tries = 0; tries < 100 && light.length === 0; tries++) {
      radio.setChannel(network.deviceNamed("led")!.radio.channel);
      radio.espNow.send(BROADCAST, frame);
      await world.runFor(50);
    }
    expect(light).deep.equal([wanted]);
    expect(devices.map(({ bootCount }) => bootCount)).deep.equal([1, 1, 1]);
    for (const device of devices) device.powerOff();
  });
});
