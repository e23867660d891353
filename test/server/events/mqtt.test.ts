import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { expect } from "chai";
import mqtt, { type MqttClient } from "mqtt";
import { pino } from "pino";
import { readBroker } from "../../../server/events/mqtt.js";
import { type RunningServer, startServer } from "../../../server/start.js";
import { sampleDevice } from "../../contract/store/samples.js";
import { type Broker, mosquittoOrSkip, startBroker } from "../../services/mosquitto.js";
import { makeRelease } from "../test-server.js";

const PASSWORD = "p/a@s%s";

describe("the address of an MQTT broker", () => {
  it("is shown without secrets", () => {
    expect(readBroker("mqtts://user:word@broker.example.com:8884")).to.equal(
      "mqtts://broker.example.com:8884",
    );
    for (const url of ["", "broker", "http://user:word@broker/", "redis://x"])
      expect(() => readBroker(url), url)
        .to.throw("MQTT_URL has to be mqtt://HOST")
        .and.satisfy((error: Error) => !error.message.includes("word@"));
  });
});

describe("the MQTT publisher", () => {
  let broker: Broker | undefined;
  let server: RunningServer | undefined;
  let folder: string;
  let client: MqttClient | undefined;
  let log: string;
  before(function () {
    mosquittoOrSkip(this);
  });
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "skyslot-mqtt-"));
    log = "";
    broker = await startBroker();
  });
  afterEach(async () => {
    await client?.endAsync(true);
    await server?.close();
    await broker?.stop();
    [client, server, broker] = [undefined, undefined, undefined];
    await rm(folder, { recursive: true, force: true });
  });

  const open = async (port = broker?.port ?? 0) => {
    const out = new PassThrough();
    out.on("data", (text) => {
      log += text;
    });
    const url = `mqtt://fleet:${encodeURIComponent(PASSWORD)}@127.0.0.1:${port}`;
    server = await startServer({
      dataDir: folder,
      port: 0,
      log: pino({ level: "debug" }, out),
      mqtt: { url, clientId: "one", reconnectMs: 50 },
    });
    return server;
  };
  /** Messages on `skyslot/#`, and a promise for the first matching one. */
  const listen = async () => {
    const seen: { topic: string; text: string; retain: boolean }[] = [];
    const waiting = new Set<() => void>();
    client = await mqtt.connectAsync(`mqtt://127.0.0.1:${broker?.port}`, {
      username: "fleet",
      password: PASSWORD,
    });
    client.on("message", (topic, payload, { retain }) => {
      seen.push({ topic, text: payload.toString(), retain });
      for (const look of waiting) look();
    });
    await client.subscribeAsync("skyslot/#", { qos: 1 });
    const until = (topic: string, part = "") =>
      new Promise<{ text: string; retain: boolean }>((resolve) => {
        const look = () => {
          const found = seen.find((message) => message.topic === topic && message.text.includes(part));
          if (!found) return;
          waiting.delete(look);
          resolve(found);
        };
        waiting.add(look);
        look();
      });
    return { seen, until };
  };
  const check = async (deviceId = "base-1") => {
    const answer = await fetch(`${server?.url}/api/ota/check`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({
        device_id: deviceId,
        device_type: "base",
        current_version: "1.0.0",
        current_build: 0,
      }),
    });
    expect(answer.status).to.equal(200);
  };
  const upload = async () => {
    const made = await makeRelease("1.1.0");
    const form = new FormData();
    form.set("release", made.release);
    form.set("file", new Blob([new Uint8Array(made.image)]), "base.bin");
    const headers = { authorization: `Bearer ${server?.adminToken}` };
    const answer = await fetch(`${server?.url}/api/ota/admin/upload`, {
      method: "POST",
      body: form,
      headers,
    });
    expect(answer.status).to.equal(201);
  };

  it("publishes the state of a device's update, retained, and every event", async () => {
    await open();
    await upload();
    const { until } = await listen();
    await check();
    const state = JSON.parse((await until("skyslot/base/base-1/ota")).text);
    expect(state).to.deep.include({
      device_id: "base-1",
      status: "pending",
      version: "1.1.0",
      from_version: "1.0.0",
    });
    const registered = await until("skyslot/events/device.registered");
    expect(JSON.parse(registered.text)).to.deep.include({ kind: "device.registered", device_id: "base-1" });
    expect(registered.retain).to.equal(false);
    await client?.endAsync();
    const later = await listen();
    expect((await later.until("skyslot/base/base-1/ota", "pending")).retain).to.equal(true);
  });

  it("publishes the states again when the broker comes back without them, and only then", async () => {
    const port = broker?.port ?? 0;
    await open();
    await upload();
    const first = await listen();
    const devices = ["base-1", "base-2", "base.3"];
    for (const device of devices) await check(device);
    for (const device of devices) await first.until(`skyslot/base/${device}/ota`, "pending");
    await client?.endAsync();
    // The broker keeps nothing over its restart.
    await broker?.stop();
    broker = await startBroker(port);
    const second = await listen();
    for (const device of devices) {
      const state = JSON.parse((await second.until(`skyslot/base/${device}/ota`)).text);
      expect(state).to.include({ device_id: device, status: "pending", version: "1.1.0" });
    }
    await client?.endAsync();
    const third = await listen();
    for (const device of devices)
      expect((await third.until(`skyslot/base/${device}/ota`)).retain, device).equal(true);
    await client?.endAsync();

    // A server that starts again finds them there.
    await server?.close();
    log = "";
    await open();
    const fourth = await listen();
    await fourth.until("skyslot/servers/one", "online");
    await check("base-4");
    await fourth.until("skyslot/base/base-4/ota", "pending");
    expect(log).to.include("connected to the MQTT broker").and.not.include("lacks states");
    expect(fourth.seen.filter(({ topic, retain }) => topic.endsWith("/ota") && !retain)).to.have.length(1);
  });

  it("publishes the states of a fleet of more than one page to a broker that is new", async () => {
    const port = broker?.port ?? 0;
    await broker?.stop();
    broker = undefined;
    await open(port);
    await upload();
    const { store } = server!.app.context;
    const sample = sampleDevice({ type: "base" });
    const ids = Array.from({ length: 250 }, (_, at) => `base-${at + 100}`);
    for (const id of ids) {
      await store.putDevice({ ...sample, id });
      for (let n = 0; n < 2; n++) {
        const attempt = { deviceId: id, firmwareId: 1, fromVersion: "1.0.0", fromBuild: 0, createdAt: 1 };
        const { id: updateId } = await store.addUpdate(attempt);
        await store.changeUpdate(updateId, { status: n === 0 ? "failed" : "success", finishedAt: 2 }, 2);
      }
    }
    broker = await startBroker(port);
    const { until } = await listen();
    for (const id of ids) await until(`skyslot/base/${id}/ota`, '"status":"success"');
  });

  it("publishes that the server is online, and when it is gone", async () => {
    await open();
    const { until } = await listen();
    await until("skyslot/servers/one", "online");
    await server?.close();
    await until("skyslot/servers/one", "offline");
  });

  it("never logs the password, and starts without a broker, which later receives what it missed", async () => {
    const port = broker?.port ?? 0;
    await broker?.stop();
    broker = undefined;
    await open(port);
    await check();
    broker = await startBroker(port);
    // Queued messages are sent when the broker is there, even before anyone subscribes.
    const { until } = await listen();
    await until("skyslot/servers/one", "online");
    expect(log).to.include(`mqtt://127.0.0.1:${port}`);
    expect(log).not.to.include(PASSWORD).and.not.to.include(encodeURIComponent(PASSWORD));
  });
});
