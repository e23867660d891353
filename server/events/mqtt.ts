// Publishes to an MQTT broker what happens to updates: optional, without a backlog while the broker is away, and never blocking.
//
//   PREFIX/TYPE/DEVICE/ota    how the device's last attempt stands; retained, and published again where it is gone: see `greet`
//   PREFIX/events/KIND        every line of the log, as it is written
//   PREFIX/servers/NAME       `online`, or `offline` when this server is gone (last will); retained
//
// Each server publishes what it has stored itself, so that several on one store publish everything once.

import { hostname } from "node:os";
import type { MqttClient } from "mqtt";
import { time } from "../shared/iso-time.js";
import type { Log } from "../shared/log.js";
import type { Store, Update } from "../store/store.js";
import { viewEvent } from "./event-view.js";
import type { Live, LiveMessage } from "./live.js";

export interface MqttOptions {
  /** `mqtt://` or `mqtts://`, with the user and the password in it, or beside it. Neither is ever logged. */
  readonly url: string;
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  readonly prefix?: string | undefined;
  /** One for each server of a broker. */
  readonly clientId?: string | undefined;
  /** Pause before another attempt to connect. */
  readonly reconnectMs?: number | undefined;
}

/** What is published. */
interface MqttSource {
  readonly store: Pick<Store, "findDevice" | "findFirmware" | "listUpdates" | "listDevicesWithUpdates">;
  readonly live: Pick<Live, "watchOwn">;
  /** Called with the number of messages that no broker has got. */
  readonly onLost: (count: number) => void;
}

export interface Publisher {
  /** Publishes `offline` and disconnects, without waiting long for either. */
  close(): Promise<void>;
}

const QOS = Object.freeze({ qos: 1 as const });
const RETAINED = Object.freeze({ qos: 1 as const, retain: true });
/** Messages that wait for the broker; beyond that new ones are lost. */
const MAX_WAITING_COUNT = 1_000;
const RECONNECT_MS = 5_000;
const GOODBYE_MS = 1_000;
/** States that are published again at a time: what happens meanwhile has the rest of the room. */
const AGAIN_COUNT = 100;

/** @throws if the URL is none for a broker; all that happens later is logged only */
export function startMqtt(source: MqttSource, options: MqttOptions, log: Log | undefined): Publisher {
  readBroker(options.url);
  const publisher = connect(source, options, log).catch((err: unknown) => {
    log?.error({ err }, "nothing is published to MQTT");
    return undefined;
  });
  return { close: async () => (await publisher)?.close() };
}

/** Where the broker is, without what is secret. @throws */
export function readBroker(url: string): string {
  const broker = URL.canParse(url) ? new URL(url) : undefined;
  if (!broker || !/^mqtts?:$/.test(broker.protocol))
    throw new Error(
      "MQTT_URL has to be mqtt://HOST or mqtts://HOST, with :PORT and USER:PASSWORD@ if need be",
    );
  return `${broker.protocol}//${broker.host}`;
}

async function connect(
  source: MqttSource,
  {
    url,
    username,
    password,
    prefix = "skyslot",
    clientId = `skyslot-${hostname()}`,
    reconnectMs = RECONNECT_MS,
  }: MqttOptions,
  log: Log | undefined,
): Promise<Publisher> {
  const { default: mqtt } = await import("mqtt");
  const broker = readBroker(url);
  const status = `${prefix}/servers/${clientId}`;
  const client = mqtt.connect(url, {
    clientId,
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    will: { topic: status, payload: Buffer.from("offline"), ...RETAINED },
    reconnectPeriod: reconnectMs,
    // What the broker does not have yet is kept below, within a bound.
    queueQoSZero: false,
    resubscribe: false,
  });
  let isTold = false;
  client.on("connect", () => {
    isTold = false;
    log?.info({ broker }, "connected to the MQTT broker");
    greet().catch((err: unknown) => log?.warn({ broker, err }, "not all states are published again to MQTT"));
  });
  const lost = (error?: Error) => {
    // Once for every time that it is away, not for every attempt.
    if (isTold) return;
    isTold = true;
    log?.warn({ broker, reason: error?.message }, "not connected to the MQTT broker, trying again");
  };
  client.on("error", lost);
  client.on("close", () => lost());
  const sender = new Sender(client, source.onLost);
  let greetingCount = 0;
  /**
   * A broker that keeps nothing over its restart has lost the retained messages, and says nothing of it. What this server has
   * retained itself, `online` or its last will, is the first that it gets of its own topic, unless it is gone.
   */
  const greet = async () => {
    const greeting = ++greetingCount;
    const isKept = isFirstRetained(client, status);
    const mayRead = await client.subscribeAsync(status, QOS).then(
      ([granted]) => granted !== undefined && granted.qos <= 2,
      () => false,
    );
    await client.publishAsync(status, "online", RETAINED);
    if (!mayRead)
      throw new Error(`${status} may not be read, so nobody knows whether the broker has kept the states`);
    if ((await isKept) && !sender.hasLost) return;
    sender.hasLost = false;
    log?.info({ broker }, "the MQTT broker lacks states: all are published again");
    let after = "";
    for (;;) {
      const devices = await source.store.listDevicesWithUpdates(after, AGAIN_COUNT);
      // Another connection has begun it anew.
      if (greeting !== greetingCount || devices.length === 0) return;
      await Promise.all(devices.map((id) => sender.send(() => describeLast(id, source.store, prefix))));
      after = devices.at(-1) as string;
    }
  };
  const unwatch = source.live.watchOwn({
    message: (message) => void sender.send(() => describe(message, source.store, prefix)),
  });
  const goodbye = async () => {
    await sender.done();
    if (client.connected) await client.publishAsync(status, "offline", RETAINED);
  };
  return {
    async close() {
      unwatch();
      client.removeListener("close", lost);
      isTold = true;
      await Promise.race([
        goodbye(),
        new Promise((resolve) => setTimeout(resolve, GOODBYE_MS).unref()),
      ]).catch(() => {});
      client.end(true);
    },
  };
}

interface Message {
  readonly topic: string;
  readonly payload: object;
  readonly options: typeof QOS | typeof RETAINED;
}

/** One message after the other, in the order in which they came, and never too many that wait. */
class Sender {
  readonly #client: MqttClient;
  readonly #onLost: (count: number) => void;
  #last: Promise<unknown> = Promise.resolve();
  #waitingCount = 0;
  /** A state may be among what was lost. */
  hasLost = false;

  constructor(client: MqttClient, onLost: (count: number) => void) {
    this.#client = client;
    this.#onLost = onLost;
  }

  /** Resolves when the broker has it, or it is lost. It is described when its turn comes: of two, the later one knows more. */
  async send(describeIt: () => Promise<Message | undefined>): Promise<void> {
    if (this.#waitingCount >= MAX_WAITING_COUNT) return this.#lose();
    this.#waitingCount++;
    // What is published is not waited for here: the next one is handed over meanwhile.
    const handedOver = this.#last.then(describeIt).then((message) => ({ published: this.#publish(message) }));
    this.#last = handedOver.catch(() => {});
    await handedOver
      .then(({ published }) => published)
      .catch(() => this.#lose())
      .finally(() => this.#waitingCount--);
  }

  done(): Promise<unknown> {
    return this.#last;
  }

  async #publish(message: Message | undefined): Promise<void> {
    if (message)
      await this.#client.publishAsync(message.topic, JSON.stringify(message.payload), message.options);
  }

  #lose(): void {
    this.hasLost = true;
    this.#onLost(1);
  }
}

/** Whether the first message of a topic that comes is one that the broker has kept. */
const isFirstRetained = (client: MqttClient, wanted: string): Promise<boolean> =>
  new Promise((resolve) => {
    const take = (topic: string, _payload: Buffer, { retain }: { readonly retain: boolean }) => {
      if (topic !== wanted) return;
      client.removeListener("message", take);
      client.removeListener("close", end);
      resolve(retain);
    };
    // The next connection asks again.
    const end = () => client.removeListener("message", take);
    client.on("message", take);
    client.once("close", end);
  });

async function describe(
  message: LiveMessage,
  store: MqttSource["store"],
  prefix: string,
): Promise<Message | undefined> {
  if (message.type === "event") {
    const payload = viewEvent(message.event);
    return { topic: `${prefix}/events/${level(message.event.kind)}`, payload, options: QOS };
  }
  if (message.type !== "update") return undefined;
  return describeState(message.update, store, prefix);
}

/** The state of a device's last attempt. */
async function describeLast(
  deviceId: string,
  store: MqttSource["store"],
  prefix: string,
): Promise<Message | undefined> {
  const { rows } = await store.listUpdates({ deviceId }, { limit: 1, offset: 0 });
  return rows[0] && describeState(rows[0], store, prefix);
}

async function describeState(
  update: Update,
  store: MqttSource["store"],
  prefix: string,
): Promise<Message | undefined> {
  const device = await store.findDevice(update.deviceId);
  if (!device) return undefined;
  const firmware = await store.findFirmware(update.firmwareId);
  const payload = viewState(update, device.type, firmware?.version ?? null);
  return { topic: `${prefix}/${level(device.type)}/${level(device.id)}/ota`, payload, options: RETAINED };
}

const viewState = (update: Update, deviceType: string, version: string | null) => ({
  device_id: update.deviceId,
  device_type: deviceType,
  update_id: update.id,
  firmware_id: update.firmwareId,
  version,
  from_version: update.fromVersion,
  status: update.status,
  step: update.step,
  bytes_downloaded: update.bytesDownloaded,
  error_code: update.errorCode,
  error_message: update.errorMessage,
  time: time(update.updatedAt),
});

/** One level of a topic: what would be read as more, or as a pattern, is replaced. */
const level = (text: string): string => text.replace(/[^A-Za-z0-9._:-]/g, "_");
