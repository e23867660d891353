// The last step: the device forgets its owner and its settings. One with Wi-Fi forgets its network too, and waits to be set up anew.

import { expect, type Journey } from "../journey.js";
import { until } from "../waiting.js";

const SETUP = /setup portal open, access point "(.*)"/;

export async function forgetsEverythingAtAFactoryReset(journey: Journey): Promise<string> {
  const { serial, token, front } = journey.parts;
  const before = await journey.settings();
  const [position, checkCount] = [serial?.position ?? 0, front.checks.length];
  const answer = await journey.change("/api/factory-reset", {}, token);
  expect(answer.status === 202, `it was answered ${answer.status}: ${answer.text}`);
  journey.hasOtherSettings = false;
  const found = await until("a check, or an open setup network", journey.limitMs(120), async () => {
    if (front.checks.length > checkCount) return "online";
    return serial?.find(SETUP, position)?.[1];
  });
  if (found !== "online") {
    // somebody may be about to set it up
    const isBack = await journey.checkAfter(checkCount, "a check", 60).catch(() => undefined);
    if (!isBack) return `its setup network "${found}" is open`;
  }
  const { checkSeconds, deviceName, hasToken, defaults } = await journey.settings();
  expect(
    deviceName !== before.deviceName && checkSeconds === defaults.checkSeconds,
    `it still has its settings: "${deviceName}", every ${checkSeconds} s`,
  );
  return `it is "${deviceName}" again and checks every ${checkSeconds} s; ${hasToken ? "it has a token from its build or its setup" : "it has no owner"}`;
}
