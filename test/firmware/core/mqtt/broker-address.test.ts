import { expect } from "chai";
import { readBrokerAddress } from "../../../../firmware/core/mqtt/broker-address.js";

describe("the address of an MQTT broker", () => {
  for (const [text, host, port] of [
    ["mqtt://broker.home", "broker.home", 1883],
    ["mqtt://192.168.1.10:8883", "192.168.1.10", 8883],
    ["MQTT://Broker.Home:1884/", "broker.home", 1884],
    ["tcp://b", "b", 1883],
    ["broker.home", "broker.home", 1883],
    ["broker.home:80", "broker.home", 80],
  ] as const)
    it(`${text} is ${host}, port ${port}`, () =>
      expect(readBrokerAddress(text)).deep.equal({ ok: true, value: { host, port } }));

  for (const [text, why] of [
    ["mqtts://broker.home", "without TLS"],
    ["http://broker.home", "begins with mqtt://"],
    ["mqtt://", "The address"],
    ["", "The address"],
    ["mqtt://a:b@broker.home", "user name"],
    ["mqtt://broker.home:99999", "port"],
    ["mqtt://broker.home/topic", "nothing follows the port"],
    ["a b", "The address"],
  ] as const)
    it(`"${text}" is refused`, () => {
      const read = readBrokerAddress(text);
      expect(read.ok).equal(false);
      if (!read.ok) expect(read.failure.message).include(why);
    });
});
