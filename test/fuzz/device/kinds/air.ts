// What the air and the router do: names of networks, lost and odd links, addresses that change, traffic that is swallowed, and whatever the
// driver may say. The router recovers after each input.

import type { AccessPointOptions, Dhcp } from "../../../../host-sim/network/access-point.js";
import type { Security } from "../../../../host-sim/network/air.js";
import type { RadioEvent } from "../../../../host-sim/network/radio.js";
import { below, chance, pick, type Random } from "../../values.js";
import { HOME, type House } from "../house.js";
import type { Input, Kind } from "../kind.js";
import { settled } from "./pages.js";

export const air: Kind = {
  name: "air",
  what: "Wi-Fi networks, links, addresses, messages of the driver",
  share: 1,
  start: "home",
  begin: settled,
  make,
};

interface Act {
  readonly text: string;
  do(house: House): void;
}

const DURATIONS_MS = Object.freeze([10, 1_000, 7_000, 20_000, 60_000, 300_000]);

function make(random: Random): Input {
  const acts = Array.from({ length: 1 + below(random, 4) }, () => ({
    act: actOf(random),
    afterMs: pick(random, DURATIONS_MS),
  }));
  return {
    text: acts.map(({ act, afterMs }) => `${act.text}, ${afterMs} ms`).join("; "),
    // where nothing goes through for long it may restart to try again
    allows: ["network"],
    async feed(house) {
      for (const { act, afterMs } of acts) {
        act.do(house);
        await house.during(afterMs);
      }
      recover(house);
      return house.address === undefined ? "away" : "at home";
    },
  };
}

function recover(house: House): void {
  const { home, network } = house;
  for (const other of network.accessPoints.splice(network.accessPoints.indexOf(home) + 1)) other.setUp(false);
  home.dhcp = true;
  home.stationCountMax = Infinity;
  home.segment.swallowing = undefined;
  if (!home.isUp) home.setUp(true);
}

function actOf(random: Random): Act {
  return pick(random, [
    () => act("the router is off", ({ home }) => home.setUp(false)),
    () => act("the router is on", ({ home }) => home.setUp(true)),
    () => dhcp(pick(random, [true, false, "0.0.0.0"])),
    () => act("another address", ({ home }) => home.renumber()),
    () => twin(random),
    () => twin(random),
    () => swallow(random),
    () => said(random),
    () => said(random),
    () => said(random),
    () => full(),
  ])();
}

const act = (text: string, doIt: Act["do"]): Act => ({ text, do: doIt });

const dhcp = (value: Dhcp): Act =>
  act(`DHCP gives ${value === true ? "addresses" : value || "nothing"}`, ({ home }) => {
    home.dhcp = value;
  });

const full = (): Act =>
  act("the router takes no more stations", ({ home }) => {
    home.stationCountMax = home.stationCount;
  });

const SSIDS = Object.freeze([
  HOME.ssid,
  HOME.ssid,
  "",
  "\0",
  "a".repeat(32),
  "💡".repeat(8),
  "\ud800",
  "\u202eabc",
  "<script>alert(1)</script>",
  '"],["a","b"]',
  "é".repeat(16),
  "\r\n\r\n",
  "Skyslot base-000000",
]);

const SECURITIES: readonly Security[] = Object.freeze([
  "none",
  "wep",
  "wpa_psk",
  "wpa2_psk",
  "wpa_wpa2_psk",
  "wpa2_enterprise",
  "wpa3_psk",
  "wpa2_wpa3_psk",
  "owe",
]);

/** Other networks, some with the home's name. */
function twin(random: Random): Act {
  const count = pick(random, [1, 1, 2, 5, 40]);
  const options = Array.from(
    { length: count },
    (_, n): AccessPointOptions => ({
      ssid: pick(random, SSIDS),
      ...(chance(random, 0.5) ? { password: chance(random, 0.5) ? HOME.password : "other password" } : {}),
      security: pick(random, SECURITIES),
      rssi: pick(random, [-30, -60, -95, 0, -128]),
      channel: pick(random, [1, 6, 11, 13]),
      dhcp: pick(random, [true, true, false, "0.0.0.0"]),
      hidden: chance(random, 0.1),
      prefix: `10.0.${n}`,
    }),
  );
  return act(`networks ${JSON.stringify(options)}`, ({ network }) => {
    if (network.accessPoints.length > 60) return;
    for (const one of options) network.addAccessPoint(one);
  });
}

function swallow(random: Random): Act {
  const swallowing = {
    ...(chance(random, 0.5) ? { direction: pick(random, ["up", "down"] as const) } : {}),
    ...(chance(random, 0.3) ? { exceptDns: true } : {}),
    ...(chance(random, 0.3) ? { afterBytes: below(random, 3000) } : {}),
  };
  return act(`traffic is lost: ${JSON.stringify(swallowing)}`, ({ home }) => {
    home.segment.swallowing = swallowing as never;
  });
}

/** Whatever the driver may say, whether it fits or not. */
function said(random: Random): Act {
  const mac = "02:00:00:00:00:09";
  const event = pick(random, [
    () => ({
      type: "disconnected",
      reason: pick(random, [0, 1, 2, 5, 8, 15, 200, 201, 202, 204, 205, 210, 255, 65535]),
    }),
    () => ({ type: "connected" }),
    () => ({ type: "gotIp4" }),
    () => ({ type: "gotIp6" }),
    () => ({ type: "stationJoined", mac }),
    () => ({ type: "stationLeft", mac }),
    () => ({ type: "started" }),
  ])() as RadioEvent;
  const count = pick(random, [1, 1, 1, 3, 20]);
  return act(`the driver says ${count} times ${JSON.stringify(event)}`, (house) => {
    house.world.schedule(0, () => {
      for (let n = 0; n < count; n++)
        for (const subscriber of [...(house.device.machine?.radio.subscribers ?? [])]) subscriber(event);
    });
  });
}
