// A receiver and a real MQTT broker: what is published of the updates of both devices, and what becomes of it when the password is wrong, the
// broker goes away, or the receiver restarts with its new image.

import { expect } from "chai";
import mqtt, { type MqttClient } from "mqtt";
import { type Broker, mosquittoOrSkip, startBroker } from "../../services/mosquitto.js";
import { type LivePair, openLivePair } from "./live-pair.js";
import { pairImage } from "./pair-rig.js";

/** The broker answers in real time: 15 s of the receiver's patience are three quarters of a second. */
const SPEED = 20;
const MQTT_PORT = 1883;
const PASSWORD = "p/a@s%s";

describe("a receiver's broker", function () {
  this.timeout(180_000);
  let live: LivePair;
  let broker: Broker | undefined;
  let client: MqttClient | undefined;
  /** Topic, behind the receiver's id, and payload. */
  const heard: (readonly [topic: string, payload: string, isRetained: boolean])[] = [];
  const qos = new Set<number>();

  before(async function () {
    mosquittoOrSkip(this);
    broker = await startBroker();
    live = await openLivePair({ speed: SPEED });
  });
  after(async () => {
    await client?.endAsync(true);
    await live?.close();
    await broker?.stop();
  });

  async function listen(): Promise<void> {
    const url = `mqtt://fleet:${encodeURIComponent(PASSWORD)}@127.0.0.1:${broker!.port}`;
    client = await mqtt.connectAsync(url);
    client.on("message", (topic, payload, { retain, qos: level }) => {
      qos.add(level);
      heard.push([topic.split("/").slice(2).join("/"), payload.toString(), retain]);
    });
    await client.subscribeAsync("home/#", { qos: 1 });
  }
  const isConnected = async () => (await live.ask("/api/health")).value.mqtt_connected;
  const told = (topic: string, ...parts: readonly string[]) =>
    heard.some(([one, payload]) => one === topic && parts.every((part) => payload.includes(part)));
  const until = (topic: string, ...parts: readonly string[]) =>
    live.until(() => told(topic, ...parts), `${topic} ${parts}: ${JSON.stringify(heard.slice(-5))}`);

  it("refuses a wrong password, and the receiver says that it is not connected", async () => {
    const address = live.addService("broker", MQTT_PORT, broker!.port);
    const change = { mqttAddress: `mqtt://${address}`, mqttTopic: "home", mqttUser: "fleet" };
    const { status, value } = await live.ask("/api/receiver", { ...change, mqttPassword: "wrong" });
    expect(status).equal(200);
    expect(value.values).include({ mqttPassword: "********" });
    await live.until(() => live.said("warn: MQTT: "), "the broker refuses");
    expect(live.pair.lines.receiver.find((line) => line.includes("warn: MQTT: "))).match(
      /user name or password|not authorized/i,
    );
    expect(await isConnected()).equal(false);
    expect(live.pair.lines.receiver.join("\n")).not.include("wrong");
  });

  it("greets the receiver with the right one, at once, and keeps that it is online", async () => {
    await live.ask("/api/receiver", { mqttPassword: PASSWORD });
    await live.until(() => live.said("MQTT: connected to"), "the broker accepts");
    expect(await isConnected()).equal(true);
    await listen();
    await until("status", "online");
    expect(heard[0]).deep.equal(["status", "online", true]);
  });

  it("hears what happens to both, each in its topic, while they are updated", async () => {
    expect(await live.upload("receiver", await pairImage("receiver", "1.1.0"))).equal(200);
    expect(await live.upload("transmitter", await pairImage("transmitter", "1.1.0"))).equal(200);
    await until("ota", '"event":"staged"', '"version":"1.1.0"');
    expect((await live.ask("/api/ota/install?device=both", {})).status).equal(202);
    await until("system", '"version":"1.1.0"', '"phase":"staging"');
    for (const event of ["progress", "staged"]) await until("transmitter/ota", `"event":"${event}"`);
    await until("system", '"phase":"committing"');
    await until("ota", '"event":"installed"');
    // after its restart it has the same settings, with the new image
    await until("ota", '"running":"1.1.0"', '"event":"validated"');
    await until("transmitter/ota", '"event":"validated"', '"device":"transmitter-');
    await until("system", '"result":"finished"');
    expect(heard.filter(([topic, , isRetained]) => topic !== "status" && isRetained)).deep.equal([]);
    expect([...qos]).deep.equal([1]);
    const { values } = (await live.ask("/api/receiver")).value as { values: object };
    expect(values).include({ mqttTopic: "home", mqttUser: "fleet", mqttPassword: "********" });
  });

  it("is missed when it is gone, and found again", async () => {
    const { port } = broker!;
    await client?.endAsync(true);
    await broker!.stop();
    await live.until(() => live.said("closed the connection"), "the receiver notices");
    expect(await isConnected()).equal(false);
    heard.length = 0;
    broker = await startBroker(port);
    await listen();
    await until("status", "online");
    expect(await isConnected()).equal(true);
  });
});
