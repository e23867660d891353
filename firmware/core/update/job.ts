// A job: what is being installed, where it comes from and how far it has come. Only data; the files of the transfer work on it.

import { type ImageReader, newImageReader } from "./image.js";
import type { InstallRecord } from "./record.js";
import type { Release } from "./release.js";

/** Where an image comes from. */
export type Source = ServerSource | PushSource;

export interface ServerSource {
  readonly kind: "server";
  readonly firmwareId: number;
  readonly url: string;
  /** Where the pages of digests are; absent: there are none, and only the whole image is verified. */
  readonly digestsUrl: string | undefined;
  /** See endOfRelease. */
  readonly releaseEnd: string;
}

export interface PushSource {
  readonly kind: "push";
  readonly connection: number;
  /** By espota: each piece is acknowledged to the sender when it has been written. */
  readonly acknowledged: boolean;
  /** The sender asks for the answer in JSON. */
  readonly isJson?: boolean;
  /** By the mesh: it is asked for part by part, and each request may be repeated for minutes. */
  readonly isSlow?: true;
  /** Staged only: answered as uploads are. */
  readonly isUpload?: boolean;
}

/** A digest that the first bytes of a slot must have. */
export interface Proof {
  readonly algorithm: "SHA256" | "MD5";
  /** Bytes. */
  readonly length: number;
  /** Hex. */
  readonly digest: string;
}

/** What is being installed. */
export interface Job {
  readonly source: Source;
  /** What the release says of the image. Without a release: what the image says of itself, and no digests. */
  readonly release: Release;
  readonly signed: boolean;
  /** When it is complete it is staged, and armed only at a later word: staging.ts. */
  readonly hold: boolean;
  /** Sent by espota's client or the mesh's gateway, hex. */
  readonly md5: string | undefined;
  /** The last bytes that were read, at most 32: at the end of an unsigned image they are its SHA-256. */
  readonly tail: Uint8Array;
  /** Next byte to write; all chunks before the one that contains it are verified. */
  readonly offset: number;
  readonly verifiedBytes: number;
  /** Where the requested range ends in the image. */
  readonly rangeEnd: number;
  /** Bytes that wait in the network adapter. */
  readonly available: number;
  /** Bytes read and handed to the flash, not yet confirmed. */
  readonly pending: Uint8Array | undefined;
  /** Read, and not written yet: the first bytes, until the image's descriptions are complete (some 300); less than a unit of the flash. */
  readonly head: Uint8Array;
  /** What was erased in this pass ends here; from `offset` on nothing is written there, but for what an earlier try has left. */
  readonly erasedTo: number;
  /** An earlier try has written from the verified bytes to here: a multiple of a sector. */
  readonly writtenTo: number;
  /** What the verified chunks say about the image. */
  readonly reader: ImageReader;
  /** The same with the bytes since then, which may be wrong until their chunk is checked. */
  readonly ahead: ImageReader;
  /** The page of digests that is in use. */
  readonly page: { readonly index: number; readonly digests: Uint8Array } | undefined;
  /** The slot may hold the next chunks already, so they are checked before anything is requested. */
  readonly isResuming: boolean;
  /** Download: tries in a row without a new chunk. Push: receives in a row that timed out. */
  readonly failureCount: number;
  /** How many times the whole image was wrong although each of its chunks was right. */
  readonly mismatchCount: number;
  /** The chunk that is checked came into the slot by another way: a wrong one counts as a failed try. */
  readonly isStored: boolean;
  /** The last step of progress that was reported. */
  readonly lastStep: number;
  /** What was asked of the server was no part of a file, or it has no parts: the image is fetched from its beginning. */
  readonly wholeOnly: boolean;
  /** The bytes before this offset have to arrive soon after this time, ms since the boot: see pace.ts. 0: a try begins. */
  readonly paceEnd: number;
  readonly paceFromMs: number;
}

/** The fields that every job begins with. */
export const FRESH_JOB = Object.freeze({
  hold: false,
  tail: new Uint8Array(0),
  offset: 0,
  verifiedBytes: 0,
  rangeEnd: 0,
  available: 0,
  pending: undefined,
  head: new Uint8Array(0),
  erasedTo: 0,
  writtenTo: 0,
  reader: newImageReader,
  ahead: newImageReader,
  page: undefined,
  isResuming: true,
  isStored: false,
  failureCount: 0,
  mismatchCount: 0,
  lastStep: 0,
  wholeOnly: false,
  paceEnd: 0,
  paceFromMs: 0,
}) satisfies Partial<Job>;

/** Where the image comes from, as the record has it. */
export const originOfJob = ({ source }: Job): Pick<InstallRecord, "from" | "firmwareId"> =>
  source.kind === "server"
    ? { from: "server", firmwareId: source.firmwareId }
    : { from: "push", firmwareId: 0 };
