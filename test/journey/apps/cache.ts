// Firmware that is a gateway's cache and nothing else: carries out what its build lists, each effect after the event of the one before.

import config from "mc/config";
import type { Event } from "../../../firmware/core/event.js";
import type { CacheEffect, CacheEvent } from "../../../firmware/core/gateway/cache-vocabulary.js";
import { createCache } from "../../../firmware/platform/cache/cache.js";
import { createNative } from "../../../firmware/platform/native.js";
import type { Handlers } from "../../../firmware/platform/runner.js";

const waiting = [...(config.script as readonly CacheEffect[])];
const cache: Handlers<CacheEffect> = createCache((event: Event | CacheEvent) => {
  trace(
    `${JSON.stringify(event, (_, value) => (value instanceof Uint8Array ? Array.from(value) : value))}\n`,
  );
  next();
}, createNative());

function next(): void {
  const effect = waiting.shift();
  if (effect?.type === "writeCache")
    return cache.writeCache({ ...effect, bytes: Uint8Array.from(effect.bytes) });
  if (effect) (cache[effect.type] as (effect: CacheEffect) => void)(effect);
}

next();
