// Feeds a batch of inputs to one device and judges it: while they are fed, and when they are over. Then it has to check for updates again,
// show its page, keep a signed image that boots, and hold no more memory, sockets or timers than a device that has just been set up.

import { UnerasedWrite } from "../../../host-sim/hardware/flash/strict-writes.js";
import { randomStream } from "../../../host-sim/world/random.js";
import type { Ground } from "./ground.js";
import { Fault, House, LONGEST_PAUSE_MS } from "./house.js";
import type { Input, Kind } from "./kind.js";
import { restoreSettings, visitPage } from "./owner.js";

/** Characters of state, TCP connections, UDP sockets and timers of a device that is at home and idle, at most. */
const MAX_STATE = 12_000;
/** Of a gateway, which knows four images of others by their manifests. */
const MAX_GATEWAY_STATE = 40_000;
const MAX_CONNECTIONS = 2;
const MAX_UDP = 4;
const MAX_TIMERS = 24;
/** Of memory, bytes: settings, and what is remembered of offers. */
const MAX_GROWTH_BYTES = 6_000;
/** A device that checks every 10 s, and asks for nothing else. */
const PACE_MS = 120_000;
const MAX_REQUESTS = 16;
/** How long an idle connection may outlive the inputs. */
const SETTLING_MS = 400_000;

export interface Verdict {
  /** What went wrong; undefined: nothing. */
  readonly fault: string | undefined;
  /** The input that was fed when it did; the last, when it shows afterwards. */
  readonly index: number;
  /** It shows only when all inputs are over. */
  readonly isAfterwards: boolean;
}

export interface Trial {
  readonly ground: Ground;
  readonly kind: Kind;
  readonly seed: string;
  /** Numbers of the inputs, in order. */
  readonly indices: readonly number[];
  readonly usedBytes?: (() => number) | undefined;
  readonly onFed?: (index: number, answer: string) => void;
  readonly onTrace?: ((line: string) => void) | undefined;
}

export const makeInput = (
  { kind, seed, ground }: Pick<Trial, "kind" | "seed" | "ground">,
  index: number,
): Input => kind.make(randomStream(`${seed}/${kind.name}/${index}`), ground);

export async function runTrial(trial: Trial): Promise<Verdict> {
  const { ground, kind, indices, onTrace } = trial;
  let index = indices[0] ?? 0;
  let isAfterwards = false;
  const house = new House({
    flash: ground.load(kind.start),
    seed: 7,
    isOurs: ground.isOurs,
    app: ground.app,
    engine: ground.engine,
    onTrace,
  });
  try {
    house.device.powerOn();
    if (kind.begin) await kind.begin(house);
    const measure = kind.begin && trial.usedBytes;
    const before = measure?.() ?? 0;
    for (index of indices) {
      const input = makeInput(trial, index);
      onTrace?.(`input ${index}: ${input.text}`);
      house.log.length = 0;
      house.allow(input.allows ?? []);
      const answer = await input.feed(house);
      trial.onFed?.(index, answer);
    }
    isAfterwards = true;
    await settle(house, ground);
    await kind.after?.(house);
    const grownBytes = (measure?.() ?? 0) - before;
    if (grownBytes > MAX_GROWTH_BYTES)
      throw new Fault(`growth: ${grownBytes} bytes of memory, at most ${MAX_GROWTH_BYTES}`);
    return { fault: undefined, index, isAfterwards };
  } catch (error) {
    return { fault: describe(error), index, isAfterwards };
  } finally {
    house.device.powerOff();
  }
}

function describe(error: unknown): string {
  if (error instanceof Fault) return error.message;
  if (error instanceof UnerasedWrite) return `a write over bytes that are not erased: ${error.message}`;
  throw error;
}

async function settle(house: House, ground: Ground): Promise<void> {
  const { server } = house;
  house.nameAnswer = undefined;
  house.phone.leave();
  house.callPerson();
  server.relent();
  if (!house.gateway) await restoreSettings(house, ground);
  const seen = server.checkCount;
  if (!(await house.until(() => server.checkCount > seen + 1, 2 * LONGEST_PAUSE_MS)))
    throw new Fault("the device does not check for updates any more");
  if (!house.gateway) await visitPage(house);
  await checkPace(house);
  await house.until(() => isIdle(house), SETTLING_MS);
  const excess = excessOf(house);
  if (excess !== undefined) throw new Fault(`growth: ${excess}`);
  const doubt = imageDoubt(ground);
  if (doubt !== undefined) throw new Fault(doubt);
}

/** It does not ask more often than it may. */
async function checkPace(house: House): Promise<void> {
  const { server } = house;
  const seen = server.requestCount;
  await house.during(PACE_MS);
  const count = server.requestCount - seen;
  if (count > MAX_REQUESTS) throw new Fault(`${count} requests to the server in ${PACE_MS / 1000} s`);
}

const isIdle = (house: House): boolean => excessOf(house) === undefined;

function excessOf({ device, stateBytes, app }: House): string | undefined {
  const machine = device.machine;
  if (!machine) return "the device is not running";
  const { connectionCount, udpCount } = machine.network;
  const { size } = machine.timers;
  if (connectionCount > MAX_CONNECTIONS) return `${connectionCount} connections, at most ${MAX_CONNECTIONS}`;
  if (udpCount > MAX_UDP) return `${udpCount} UDP sockets, at most ${MAX_UDP}`;
  if (size > MAX_TIMERS) return `${size} timers, at most ${MAX_TIMERS}`;
  const maxState = app === "receiver" ? MAX_GATEWAY_STATE : MAX_STATE;
  if (stateBytes > maxState) return `${stateBytes} characters of state, at most ${maxState}`;
  return undefined;
}

/** Whether what would start now is an image that the fuzz has signed. */
function imageDoubt(ground: Ground): string | undefined {
  const next = ground.wouldStart();
  if (!next) return "nothing would boot any more";
  return next.isOurs
    ? undefined
    : `${next.partition.label} would boot, which holds an image that was not signed`;
}
