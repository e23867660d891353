// What can happen in a gateway's cache, the data partition that holds one image for other devices, and what it can be asked to do: as with
// the inactive slot (event.ts, effect.ts). Offsets and lengths in bytes from its start. It is NOR flash: a write clears bits only.
//
// An answer has the attempt of its question. Several parts of a gateway ask, each in numbers of its own: the cache itself from 1 up (cache.ts),
// what takes images without digests from 500 000 000 (plain-image.ts), what takes those of a person from 1 000 000 000 (upload.ts), what sends
// blocks from -1 down, what sends parts in a painlessMesh from -1 000 000 down.

export type CacheEvent =
  | { readonly type: "cacheErased"; readonly attempt: number; readonly offset: number }
  | {
      readonly type: "cacheWritten";
      readonly attempt: number;
      readonly offset: number;
      readonly length: number;
    }
  | {
      readonly type: "cacheRead";
      readonly attempt: number;
      readonly offset: number;
      readonly bytes: Uint8Array;
    }
  | {
      readonly type: "cacheHashed";
      readonly attempt: number;
      readonly offset: number;
      readonly digest: Uint8Array;
    }
  /** Also: there is no such partition. */
  | { readonly type: "cacheFailed"; readonly attempt: number; readonly message: string };

export type CacheEffect =
  /** One sector of 4096 bytes; `offset` is where it begins. */
  | { readonly type: "eraseCache"; readonly attempt: number; readonly offset: number }
  /** Into one sector, that was erased before. */
  | {
      readonly type: "writeCache";
      readonly attempt: number;
      readonly offset: number;
      readonly bytes: Uint8Array;
    }
  /** At most 4096 bytes. */
  | {
      readonly type: "readCache";
      readonly attempt: number;
      readonly offset: number;
      readonly length: number;
    }
  /** SHA-256 unless another is named. */
  | {
      readonly type: "hashCache";
      readonly attempt: number;
      readonly offset: number;
      readonly length: number;
      readonly algorithm?: "MD5";
    };
