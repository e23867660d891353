// Messages of painlessMesh, written: byte for byte in the order of the members that was measured (test/vectors/mesh). Reads nothing.

import { writeJson } from "../json.js";
import { type MeshImage, TYPES } from "./message.js";
import { subsText } from "./tree.js";

export interface SyncParts {
  readonly isReply: boolean;
  readonly from: number;
  /** 0: not known. */
  readonly dest: number;
  readonly isRoot: boolean;
  /** The trees behind this node, without the one that is written to. */
  readonly subs: readonly string[];
}

export const writeSync = ({ isReply, from, dest, isRoot, subs }: SyncParts): string =>
  `{"nodeId":${from},"type":${isReply ? TYPES.synced : TYPES.sync},"dest":${dest},"from":${from}` +
  `${isRoot ? ',"root":true' : ""}${subsText(subs)}}`;

/** @param times t0, t1 and t2, as many as this step has: none, one, three */
export const writeTime = (
  kind: "time" | "delay",
  { from, dest }: { readonly from: number; readonly dest: number },
  times: readonly number[],
): string => {
  const step = times.length === 0 ? 0 : times.length === 1 ? 1 : 2;
  const values = times.map((time, index) => `,"t${index}":${time}`).join("");
  return `{"type":${TYPES[kind]},"dest":${dest},"from":${from},"msg":{"type":${step}${values}}}`;
};

/** @param dest the only node that it is for; absent: all */
export const writeAnnounce = (
  from: number,
  image: MeshImage,
  { release, dest }: { readonly release?: string | undefined; readonly dest?: number } = {},
): string =>
  `{"from":${from},"routing":${dest === undefined ? 2 : 1},"type":${TYPES.announce}${ofImage(image)}` +
  `,"noPart":${image.partCount}${flags(image)}${dest === undefined ? "" : `,"dest":${dest}`}` +
  `${release === undefined ? "" : `,"release":${writeJson(release)}`}}`;

/** The library's nodes order the flags like this in requests. */
export const writeRequest = (from: number, dest: number, image: MeshImage, part: number): string =>
  `{"from":${from},"routing":1,"type":${TYPES.request}${ofImage(image)}${image.isForced ? ',"forced":true' : ""}` +
  `,"noPart":${image.partCount},"broadcasted":${image.isBroadcast}${image.isCompressed ? ',"compressed":true' : ""}` +
  `,"dest":${dest},"partNo":${part}}`;

/** What stands before and behind the base64 of a part. */
export const writePart = (
  from: number,
  dest: number,
  image: MeshImage,
  part: number,
): { readonly text: string; readonly tail: string } => ({
  text:
    `{"from":${from},"routing":${image.isBroadcast ? 2 : 1},"type":${TYPES.part}${ofImage(image)}` +
    `,"noPart":${image.partCount},"dest":${dest},"partNo":${part},"data":"`,
  tail: `"${flags(image)}}`,
});

const ofImage = ({ md5, hardware, role }: MeshImage): string =>
  `,"md5":"${md5}","hardware":${writeJson(hardware)},"role":${writeJson(role)}`;

const flags = ({ isForced, isBroadcast, isCompressed }: MeshImage): string =>
  `${isForced ? ',"forced":true' : ""}${isBroadcast ? ',"broadcasted":true' : ""}${isCompressed ? ',"compressed":true' : ""}`;
