// The job of a system as it is kept in NVS: what is to be done, and what has been decided. Types, and the text. Nothing that a component can
// be asked for is kept, because it may have changed by the time it is read.
//
// The text is read by another firmware than the one that has written it, whenever the leader itself is updated or goes back: fields are only
// added, those that are not known are ignored, and the meaning of none ever changes.

import { type JsonValue, readJsonObject, writeJson } from "../json.js";
import type { JobComponent, SystemJob } from "./vocabulary.js";

/** NVS key of the job. */
export const JOB_KEY = "system";
/** NVS strings hold 3999 bytes; the bounds below keep a job under this. */
export const MAX_JOB_LENGTH = 3_900;

export const MAX_MEMBER_COUNT = 64;
/** A MAC address, or a name. */
export const MAX_ID_LENGTH = 24;
const MAX_STEP = 7;
/** Members of one kind have one image. */
const MAX_IMAGE_COUNT = 8;
const MAX_REASON_LENGTH = 160;
const MAX_VERSION_LENGTH = 48;

/**
 * staging: every component gets its image, nothing starts. committing: they start them, step by step. goingBack: all of them return to what
 * they had.
 */
export type Phase = "staging" | "committing" | "goingBack";

export interface Member extends JobComponent {
  /** It ran this image already when the job began. */
  readonly had?: true;
  /** Given up (rule `each`): it keeps what it has. */
  readonly isLeft?: true;
}

export interface Job extends Omit<SystemJob, "components"> {
  readonly phase: Phase;
  /** The highest step whose members may have been told to start their image; -1: none. */
  readonly step: number;
  readonly members: readonly Member[];
  /** Why it goes back; empty: it does not. */
  readonly reason: string;
  /** It has been finished before, and goes back because its owner wants it to: step by step, because it can be given up half way. */
  readonly isUndone?: true;
}

/** The job at its beginning, or a sentence that says what is wrong with it. */
export function begin({ components, ...job }: SystemJob): Job | string {
  const problem = problemOf(job.version, components);
  return problem ?? { ...job, phase: "staging", step: -1, members: components, reason: "" };
}

/** A finished job that is to be undone, or a sentence that says what is wrong with it. */
export function beginUndo(
  { version, components, isUploaded }: Pick<SystemJob, "version" | "components" | "isUploaded">,
  reason: string,
): Job | string {
  const times = { rebootDelaySeconds: 0, healthTimeoutSeconds: 0, stageTimeoutSeconds: 0 };
  const job = begin({ version, rule: "all", components, ...times, ...(isUploaded ? { isUploaded } : {}) });
  if (typeof job === "string") return job;
  const step = Math.max(...components.map((component) => component.step));
  return { ...backWith(job, reason), step, isUndone: true };
}

function problemOf(version: string, components: readonly JobComponent[]): string | undefined {
  const { length } = components;
  if (version.length > MAX_VERSION_LENGTH) return `a version has at most ${MAX_VERSION_LENGTH} characters`;
  if (length === 0 || length > MAX_MEMBER_COUNT)
    return `it has ${length} components, 1 to ${MAX_MEMBER_COUNT} can be led`;
  const ids = new Set(components.map(({ id }) => id));
  if (ids.size < length) return "two components have one id";
  const imageCount = new Set(components.map(({ image }) => image)).size;
  if (imageCount > MAX_IMAGE_COUNT) return `it has ${imageCount} images, at most ${MAX_IMAGE_COUNT} are kept`;
  for (const component of components) if (!isComponent(component)) return `"${component.id}" is no component`;
  return undefined;
}

const isComponent = ({ id, image, step }: JobComponent): boolean =>
  id.length > 0 &&
  id.length <= MAX_ID_LENGTH &&
  /^[\w.:-]+$/.test(id) &&
  /^[0-9a-f]{64}$/.test(image) &&
  isWithin(step, 0, MAX_STEP);

export const backWith = (job: Job, reason: string): Job => ({
  ...job,
  phase: "goingBack",
  reason: shortened(reason),
});

export const shortened = (reason: string): string => reason.slice(0, MAX_REASON_LENGTH);

/** The job as short JSON. */
export const writeJob = ({ members, reason, ...job }: Job): string =>
  writeJson({ format: 1, ...job, reason, ...writeMembers(members) });

export function writeMembers(members: readonly Member[]): {
  readonly images: object;
  readonly members: object;
} {
  const images = [...new Set(members.map(({ image }) => image))];
  const rows = members.map(({ id, image, step, had, isLeft }) => [
    id,
    images.indexOf(image),
    step,
    (had ? HAD : 0) | (isLeft ? LEFT : 0),
  ]);
  return { images, members: rows };
}

const HAD = 1;
const LEFT = 2;
const BOUNDS = Object.freeze({ maxDepth: 3, maxValueCount: 5 * MAX_MEMBER_COUNT + 64 });

/** `undefined`: it is none that this firmware can read. */
export function readJob(text: string): Job | undefined {
  const value = readJsonObject(text, BOUNDS);
  if (value?.get("format") !== 1) return undefined;
  const version = value.get("version");
  const rule = value.get("rule");
  const phase = value.get("phase");
  const step = value.get("step");
  const reason = value.get("reason");
  const rebootDelaySeconds = value.get("rebootDelaySeconds");
  const healthTimeoutSeconds = value.get("healthTimeoutSeconds");
  const stageTimeoutSeconds = value.get("stageTimeoutSeconds");
  const members = readMembers(value.get("images"), value.get("members"));
  const marks = {
    ...(value.get("isUploaded") === true ? { isUploaded: true as const } : {}),
    ...(value.get("mayMisfit") === true ? { mayMisfit: true as const } : {}),
    ...(value.get("isUndone") === true ? { isUndone: true as const } : {}),
  };
  if (typeof version !== "string" || typeof reason !== "string" || !members) return undefined;
  if (rule !== "all" && rule !== "each") return undefined;
  if (phase !== "staging" && phase !== "committing" && phase !== "goingBack") return undefined;
  if (!isWithin(step, -1, MAX_STEP) || !isSeconds(rebootDelaySeconds)) return undefined;
  if (!isSeconds(healthTimeoutSeconds) || !isSeconds(stageTimeoutSeconds)) return undefined;
  const times = { rebootDelaySeconds, healthTimeoutSeconds, stageTimeoutSeconds };
  const job = { version, rule, ...times, phase, step, members, reason, ...marks } as const;
  return problemOf(version, members) === undefined ? job : undefined;
}

/** `undefined`: one of them cannot be read. */
export function readMembers(
  images: JsonValue | undefined,
  rows: JsonValue | undefined,
): readonly Member[] | undefined {
  if (!Array.isArray(images) || !Array.isArray(rows)) return undefined;
  const members: Member[] = [];
  for (const row of rows) {
    const [id, index, step, flags] = Array.isArray(row) ? (row as readonly JsonValue[]) : [];
    const image = isWithin(index, 0, MAX_IMAGE_COUNT - 1) ? images[index] : undefined;
    if (typeof id !== "string" || typeof image !== "string") return undefined;
    if (!isWithin(step, 0, MAX_STEP) || !isWithin(flags, 0, 255)) return undefined;
    const had = (flags & HAD) === 0 ? {} : { had: true as const };
    members.push({ id, image, step, ...had, ...((flags & LEFT) === 0 ? {} : { isLeft: true as const }) });
  }
  return members;
}

const isSeconds = (value: unknown): value is number => isWithin(value, 0, 1_000_000);

const isWithin = (value: unknown, least: number, most: number): value is number =>
  Number.isInteger(value) && (value as number) >= least && (value as number) <= most;
