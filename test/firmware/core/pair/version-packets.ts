// Version packets that tests write and read: usual ones, and those at the limits of their fields.

import {
  ANNOUNCE,
  REQUEST,
  RESPONSE,
  type VersionPacket,
} from "../../../../firmware/core/pair/version-packet.js";

export const PACKET: VersionPacket = {
  type: ANNOUNCE,
  firmwareVersion: 20_103,
  protocolVersion: 2,
  minCompatible: 20_000,
  deviceType: "receiver",
  buildDate: "Nov 30 2026",
  buildTime: "12:34:56",
};

export const PACKETS: Readonly<Record<string, VersionPacket>> = {
  "an announcement": PACKET,
  "a request": { ...PACKET, type: REQUEST, deviceType: "transmitter" },
  "a response of the greatest numbers": {
    ...PACKET,
    type: RESPONSE,
    firmwareVersion: 0xffffffff,
    protocolVersion: 255,
    minCompatible: 0xfffffffe,
  },
  "texts that fill their fields but for the zero": {
    ...PACKET,
    deviceType: "transmitter-a1b",
    buildDate: "Nov 30 2026",
  },
  "a build without a date": { ...PACKET, buildDate: "", buildTime: "" },
};
