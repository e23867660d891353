// Power on, first check, pages, owner.

import { expect, type Journey, Skipped } from "../journey.js";

/** A name that no device has by default: it shows whether settings are kept, and forgotten. */
const DEVICE_NAME = "On its journey";
/** The shortest time between checks. */
const CHECK_SECONDS = 10;

export async function startsAndReachesItsServer(journey: Journey): Promise<string> {
  const { front, power, serial, say } = journey.parts;
  const checkCount = front.checks.length;
  const restartCount = serial?.restartCount ?? 0;
  if (power) {
    await power.off();
    await power.on();
    say("the power is on");
  } else say(`waiting for a check at ${front.address}`);
  const check = await journey.checkAfter(checkCount, `the first check at ${front.address}`, 60);
  const { device_id, current_version, chip, hardware, slot, slot_state, address } = check;
  const restarts = serial ? `, ${serial.restartCount - restartCount} boots on the serial line` : "";
  return `${device_id}, ${current_version} for ${hardware} (${chip}) in ${slot} (${slot_state}) at ${address}${restarts}`;
}

export async function servesItsPagesToItsNetwork(journey: Journey): Promise<string> {
  const page = await journey.ask("/");
  expect(page.status === 200, `/ was answered ${page.status}`);
  expect(/<!doctype html>/i.test(page.text), "/ is no page");
  const { version, uptimeSeconds } = await journey.facts();
  expect(version === journey.device.current_version, `/api/version returns ${version}`);
  const health = await journey.ask("/api/health");
  const { status, resetReason } = JSON.parse(health.text) as Record<string, unknown>;
  expect(status === "ok", `/api/health returns ${status}`);
  return `page of ${page.text.length} characters; up for ${uptimeSeconds} s after ${resetReason}`;
}

export async function changesItsSettingsForItsOwnerAlone(journey: Journey): Promise<string> {
  const { token } = journey.parts;
  const given = await claim(journey);
  const change = { checkSeconds: CHECK_SECONDS, deviceName: DEVICE_NAME };
  const refusals: readonly [string, number, string?][] = [
    ["without a token", 401],
    ["with a wrong token", 403, `${token}-not`],
  ];
  for (const [how, status, wrong] of refusals) {
    const answer = await journey.change("/api/settings", change, wrong);
    expect(answer.status === status, `a change ${how} was answered ${answer.status}: ${answer.text}`);
  }
  const answer = await journey.change("/api/settings", change, token);
  expect(answer.status === 200, `a change with the token was answered ${answer.status}: ${answer.text}`);
  journey.hasOtherSettings = true;
  const { checkSeconds, deviceName } = await journey.settings();
  expect(
    checkSeconds === CHECK_SECONDS && deviceName === DEVICE_NAME,
    "the settings are not those that were saved",
  );
  return `${given}; checks every ${CHECK_SECONDS} s from now on`;
}

/** A device without an owner is given one. */
async function claim(journey: Journey): Promise<string> {
  const { hasToken, attendedSeconds } = await journey.settings();
  if (hasToken) return "it has an owner's token";
  if (attendedSeconds === 0)
    throw new Skipped("it has no owner's token, and was plugged in too long ago to be given one");
  const answer = await journey.change("/api/token", { token: journey.parts.token });
  expect(answer.status === 200, `the first token was answered ${answer.status}: ${answer.text}`);
  return "it was given its owner's token";
}
