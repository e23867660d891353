// Where a device's MQTT broker is, as its owner writes it: `mqtt://host`, `mqtt://host:port`, or the host alone.

import { fail, type Result, succeed } from "../errors.js";
import { readAddress } from "../http/address.js";
import { MQTT_PORT } from "./vocabulary.js";

export type BrokerAddressError = "ADDRESS_INVALID";

/** A name or address and a port; TLS (`mqtts:`) is refused in a sentence. */
export function readBrokerAddress(
  text: string,
): Result<{ readonly host: string; readonly port: number }, BrokerAddressError> {
  const end = text.indexOf("://");
  const scheme = end < 0 ? "mqtt" : text.slice(0, end).toLowerCase();
  const place = end < 0 ? text : text.slice(end + 3);
  if (scheme !== "mqtt" && scheme !== "tcp")
    return fail(
      "ADDRESS_INVALID",
      `${text}: this device speaks MQTT without TLS; the address begins with mqtt://`,
    );
  const read = readAddress(`http://${place}`);
  if (!read.ok) return fail("ADDRESS_INVALID", read.failure.message);
  if (read.value.path !== "/")
    return fail("ADDRESS_INVALID", `${text}: nothing follows the port of a broker`);
  return succeed({ host: read.value.host, port: place.includes(":") ? read.value.port : MQTT_PORT });
}
