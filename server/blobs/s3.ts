// Blobs as objects of an S3 bucket: `PREFIX/ab/abcdef…`, their other digests in the object's metadata. An upload goes through a
// file without a name, because its key is known only when it is whole: an object is put at once and whole, or not at all, and a
// server that is killed leaves nothing anywhere. The bucket compares the SHA-256 before it keeps the object.

import { randomUUID } from "node:crypto";
import { type FileHandle, open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import {
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from "@aws-sdk/client-s3";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import {
  type Blob,
  type BlobStore,
  BlobsUnavailable,
  type ByteRange,
  type Digests,
  isSha256,
  type ListedBlob,
  type PutBlob,
  pathOfBlob,
} from "./blobs.js";
import { digest } from "./digests.js";
import { Memory } from "./memory.js";
import { BlobsSilent, DEFAULT_PATIENCE, type Patience, type PatientCall, paced, within } from "./patience.js";

const DEFAULT_REGION = "us-east-1";
const REMEMBERED_COUNT = 1000;
const PUT_TRY_COUNT = 3;
const PIECE_BYTES = 64 * 1024;
/** Long enough for a slow device to begin its download, short enough for a link that went astray. */
const LINK_VALID_SECONDS = 15 * 60;

/**
 * `s3://BUCKET/PREFIX`; `?path-style=true` puts the bucket into the path, as most servers other than Amazon's want it. Region,
 * endpoint and credentials come from where every tool has them: AWS_REGION, AWS_ENDPOINT_URL, AWS_ACCESS_KEY_ID …
 */
export function openS3Blobs(url: string, patience = DEFAULT_PATIENCE): BlobStore {
  const { hostname: bucket, pathname, searchParams } = new URL(url);
  if (bucket === "") throw new Error("BLOB_STORE names no bucket: s3://BUCKET/PREFIX");
  for (const name of searchParams.keys()) {
    if (name !== "path-style")
      throw new Error(`BLOB_STORE has an unknown setting "${name}", known is path-style`);
  }
  const client = new S3Client({
    region: process.env.AWS_REGION || process.env.AWS_DEFAULT_REGION || DEFAULT_REGION,
    forcePathStyle: searchParams.get("path-style") === "true",
    requestHandler: { connectionTimeout: patience.connectMs },
    requestChecksumCalculation: "WHEN_REQUIRED",
    responseChecksumValidation: "WHEN_REQUIRED",
    // By default it writes to the console; what fails is thrown, too.
    logger: { debug() {}, info() {}, warn() {}, error() {} },
  });
  const prefix = pathname.split("/").filter(Boolean).map(decodeURIComponent).join("/");
  return new S3Blobs(client, bucket, prefix === "" ? "" : `${prefix}/`, patience);
}

class S3Blobs implements BlobStore {
  readonly #client: S3Client;
  readonly #bucket: string;
  readonly #prefix: string;
  readonly #patience: Patience;
  readonly #digests = new Memory<Digests>(REMEMBERED_COUNT);

  constructor(client: S3Client, bucket: string, prefix: string, patience: Patience) {
    this.#patience = patience;
    this.#client = client;
    this.#bucket = bucket;
    this.#prefix = prefix;
  }

  async put(source: AsyncIterable<Uint8Array>, maxBytes: number): Promise<PutBlob> {
    const file = await openNameless();
    try {
      const received = await digest(source, maxBytes, (bytes) => file.writeFile(bytes));
      const blob = { ...received, path: pathOfBlob(received.sha256) };
      if (await this.stat(blob.sha256)) return { ...blob, isNew: false };
      await this.#upload(blob, file);
      return { ...blob, isNew: true };
    } finally {
      await file.close();
    }
  }

  async stat(sha256: string): Promise<Blob | undefined> {
    const path = pathOfBlob(sha256);
    try {
      const head = new HeadObjectCommand(this.#name(sha256));
      const { ContentLength, Metadata } = await this.#call((abortSignal) =>
        this.#client.send(head, { abortSignal }),
      );
      return { ...(await this.#digestsOf(sha256, Metadata)), sizeBytes: ContentLength ?? 0, path };
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  }

  read(sha256: string, range?: ByteRange): Readable {
    const name = this.#name(sha256);
    return Readable.from(this.#stream(name, range), { objectMode: false });
  }

  async remove(sha256: string): Promise<void> {
    this.#digests.delete(sha256);
    const command = new DeleteObjectCommand(this.#name(sha256));
    await this.#call((abortSignal) => this.#client.send(command, { abortSignal }));
  }

  async *list(): AsyncGenerator<ListedBlob> {
    let ContinuationToken: string | undefined;
    do {
      const command = new ListObjectsV2Command({
        Bucket: this.#bucket,
        Prefix: this.#prefix,
        ContinuationToken,
      });
      const { Contents = [], NextContinuationToken } = await this.#call((abortSignal) =>
        this.#client.send(command, { abortSignal }),
      );
      ContinuationToken = NextContinuationToken;
      for (const { Key = "", Size = 0, LastModified } of Contents) {
        const sha256 = Key.slice(-64);
        if (!isSha256(sha256) || Key !== `${this.#prefix}${pathOfBlob(sha256)}`) continue;
        yield { sha256, sizeBytes: Size, storedAt: LastModified?.getTime() ?? 0 };
      }
    } while (ContinuationToken !== undefined);
  }

  /** There is never anything. */
  async forgetUnfinished(): Promise<void> {}

  link(sha256: string): Promise<string> {
    const command = new GetObjectCommand({
      ...this.#name(sha256),
      ResponseContentType: "application/octet-stream",
    });
    return getSignedUrl(this.#client, command, { expiresIn: LINK_VALID_SECONDS });
  }

  async close(): Promise<void> {
    this.#client.destroy();
  }

  #name(sha256: string): { Bucket: string; Key: string } {
    return { Bucket: this.#bucket, Key: `${this.#prefix}${pathOfBlob(sha256)}` };
  }

  /** The library repeats what it holds in memory, but not a stream: that is read from the file again. */
  async #upload(blob: Blob, file: FileHandle): Promise<void> {
    const { sha256, md5, sha1, sizeBytes } = blob;
    for (let tryCount = 1; ; tryCount++) {
      try {
        await this.#call((abortSignal, goOn) =>
          this.#client.send(
            new PutObjectCommand({
              ...this.#name(sha256),
              Body: sizeBytes === 0 ? "" : Readable.from(readPieces(file, goOn)),
              ContentLength: sizeBytes,
              ContentType: "application/octet-stream",
              ChecksumSHA256: Buffer.from(sha256, "hex").toString("base64"),
              Metadata: { md5, sha1 },
            }),
            { abortSignal },
          ),
        );
        return;
      } catch (error) {
        const mayPass = error instanceof BlobsUnavailable && !(error instanceof BlobsSilent);
        if (tryCount === PUT_TRY_COUNT || !mayPass) throw error;
      }
    }
  }

  async *#stream(name: { Bucket: string; Key: string }, range?: ByteRange): AsyncGenerator<Uint8Array> {
    const command = new GetObjectCommand({
      ...name,
      ...(range ? { Range: `bytes=${range.start}-${range.end}` } : {}),
    });
    const { Body } = await this.#call((abortSignal) => this.#client.send(command, { abortSignal }));
    yield* paced(Body as Readable, this.#patience.pauseMs);
  }

  /** @throws BlobsUnavailable instead of what may pass by itself */
  async #call<Result>(call: PatientCall<Result>): Promise<Result> {
    try {
      return await within(this.#patience.answerMs, call);
    } catch (cause) {
      if (cause instanceof BlobsUnavailable || !isPassing(cause)) throw cause;
      throw new BlobsUnavailable(`the blob store fails: ${(cause as Error).message}`, { cause });
    }
  }

  async #digestsOf(sha256: string, metadata: Record<string, string> = {}): Promise<Digests> {
    const { md5, sha1 } = metadata;
    if (md5 && sha1) return { sha256, md5, sha1 };
    // Put there by another upload.
    const known = this.#digests.get(sha256);
    return known ?? this.#digests.set(sha256, { ...(await digest(this.read(sha256))), sha256 });
  }
}

/** Its name goes at once: whatever ends the process, nothing stays. */
async function openNameless(): Promise<FileHandle> {
  const name = join(tmpdir(), `skyslot-upload-${randomUUID()}`);
  const file = await open(name, "wx+", 0o600);
  await rm(name);
  return file;
}

/** From the beginning, as often as one likes: a stream of Node's would close the file. */
async function* readPieces(file: FileHandle, onPiece: () => void): AsyncGenerator<Uint8Array> {
  for (let position = 0; ; ) {
    const { bytesRead, buffer } = await file.read(Buffer.alloc(PIECE_BYTES), 0, PIECE_BYTES, position);
    if (bytesRead === 0) return;
    position += bytesRead;
    onPiece();
    yield buffer.subarray(0, bytesRead);
  }
}

interface ServiceError {
  readonly name?: string;
  readonly $metadata?: { readonly httpStatusCode?: number };
}

const isNotFound = (error: unknown): boolean =>
  (error as ServiceError).$metadata?.httpStatusCode === 404 &&
  (error as ServiceError).name !== "NoSuchBucket";

/** No answer, or one that blames the server. */
const isPassing = (error: unknown): boolean =>
  ((error as ServiceError).$metadata?.httpStatusCode ?? 500) >= 500;
