// A start of a device with a flash that an input has changed: it has to come into its network and check, or open its setup network, or at
// least show its page where the input has given it another server.

import type { Ground, Start } from "../ground.js";
import { Fault, type House } from "../house.js";
import { visitPage } from "../owner.js";

/** Networks that cannot be joined are tried first, and a trial may have to fail. */
const LIMIT_MS = 20 * 60_000;
/** In its network without a check: it asks another server. */
const ELSEWHERE_MS = 90_000;
/** An image that is armed again, at most, and a roll back. */
const MAX_RESTARTS = 8;
const SSID_PREFIX = "Skyslot ";

export async function startAnew(
  house: House,
  ground: Ground,
  start: Start,
  change: () => void,
): Promise<string> {
  const { device, server } = house;
  device.powerOff();
  house.phone.leave();
  ground.load(start);
  change();
  const seen = server.checkCount;
  const before = house.intendedCount;
  device.powerOn();
  let homeSinceMs: number | undefined;
  const outcome = (): string | undefined => {
    if (server.checkCount > seen) return "checks";
    if (isOpen(house)) return "setup network";
    if (house.address === undefined) homeSinceMs = undefined;
    else homeSinceMs ??= house.world.nowMs;
    return house.world.nowMs - (homeSinceMs ?? Infinity) > ELSEWHERE_MS ? "elsewhere" : undefined;
  };
  await house.until(() => outcome() !== undefined || house.intendedCount - before > MAX_RESTARTS, LIMIT_MS);
  const found = outcome();
  if (house.intendedCount - before > MAX_RESTARTS)
    throw new Fault(`more than ${MAX_RESTARTS} restarts in a row`);
  if (found === undefined)
    throw new Fault("neither in its network nor in a setup network: it is not reached any more");
  if (found === "elsewhere") await visitPage(house);
  return found;
}

const isOpen = ({ phone }: House): boolean =>
  phone.visibleSsids().some((ssid) => ssid.startsWith(SSID_PREFIX));
