// What can happen to a device's connection to an MQTT broker, and what it can be asked to do: beside core's own events and effects, for
// apps that publish. One connection at a time; what answers an older attempt is dropped.

/** The port of MQTT without TLS (IANA). */
export const MQTT_PORT = 1883;

export type BrokerEvent =
  | { readonly type: "brokerConnected"; readonly attempt: number }
  | { readonly type: "brokerReceived"; readonly attempt: number; readonly bytes: Uint8Array }
  /** It could not be reached, or has closed the connection. */
  | { readonly type: "brokerLost"; readonly attempt: number; readonly message: string };

export type BrokerEffect =
  | {
      readonly type: "connectBroker";
      readonly attempt: number;
      /** A name or an IPv4 address. */
      readonly host: string;
      readonly port: number;
    }
  | { readonly type: "sendToBroker"; readonly attempt: number; readonly bytes: Uint8Array }
  | { readonly type: "closeBroker"; readonly attempt: number };

export type MqttTimer = "mqtt.retry" | "mqtt.answer" | "mqtt.ping";
