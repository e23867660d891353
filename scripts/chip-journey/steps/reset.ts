// The last step: the device forgets its owner and its settings. One with Wi-Fi forgets its network too, and waits to be set up again.

import { expect, type Journey, type Settings } from "../journey.js";
import { until } from "../waiting.js";

const SETUP = /setup portal open, access point "(.*)"/;

export async function forgetsEverythingAtAFactoryReset(journey: Journey): Promise<string> {
  const { serial, token } = journey.parts;
  const before = await journey.settings();
  const position = serial?.position ?? 0;
  const answer = await journey.change("/api/factory-reset", {}, token);
  expect(answer.status === 202, `it was answered ${answer.status}: ${answer.text}`);
  journey.hasOtherSettings = false;
  const isOther = ({ deviceName }: Settings) => deviceName !== before.deviceName;
  const after = async (seconds: number) =>
    until("a device without its settings", journey.limitMs(seconds), async () => {
      const settings = await journey.settings();
      return isOther(settings) ? settings : undefined;
    });
  const setup = () => serial?.find(SETUP, position)?.[1];
  const found = await after(90).catch((error: unknown) => {
    if (setup() === undefined) throw error;
    return undefined;
  });
  // one with Wi-Fi waits to be set up
  if (!found) return `its setup network "${setup()}" is open`;
  const { checkSeconds, deviceName, hasToken, defaults } = found;
  expect(checkSeconds === defaults.checkSeconds, `it still checks every ${checkSeconds} s`);
  return `it is "${deviceName}" again and checks every ${checkSeconds} s; ${hasToken ? "it has a token from its build or its setup" : "it has no owner"}`;
}
