// A request of the device as it goes over the wire. Every request is the last of its connection, and says so.

import { utf8Length } from "../bytes.js";
import type { HttpRequest } from "../effect.js";
import { type Address, hostText } from "./address.js";

/** The head; the body follows it as it is. */
export function requestHead({ method, headers, body }: HttpRequest, address: Address): string {
  const all: Record<string, string> = {
    host: hostText(address),
    ...headers,
    ...(body === undefined ? {} : { "content-length": `${utf8Length(body)}` }),
    connection: "close",
  };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  return `${method} ${address.path} HTTP/1.1\r\n${lines.join("")}\r\n`;
}
