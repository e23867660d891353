// The id of a key: its thumbprint (RFC 7638), the SHA-256 of its required members. A root lists points without ids, because they would not fit,
// and a release names the id of its key; so ids are computed when they are asked for. In JavaScript and not as an effect, because the caller that looks
// for a key needs the answer at once, and 113 bytes at a time are few: two blocks of SHA-256 a key, at most eight keys.

import { base64UrlEncode } from "../bytes.js";
import type { KeyPoint } from "../wire.js";

/** @returns 43 characters of base64url */
export function thumbprint({ x, y }: KeyPoint): string {
  return base64UrlEncode(sha256(`{"crv":"P-256","kty":"EC","x":"${x}","y":"${y}"}`));
}

const BLOCK_BYTES = 64;
/** Behind the text one bit, and at the end its length in bits. */
const TRAILER_BYTES = 9;

/** Of ASCII, FIPS 180-4. */
function sha256(text: string): Uint8Array {
  const blockCount = Math.ceil((text.length + TRAILER_BYTES) / BLOCK_BYTES);
  const words = new Int32Array(16);
  const hash = Int32Array.from(INITIAL);
  for (let block = 0; block < blockCount; block++) {
    for (let i = 0; i < 16; i++) words[i] = wordAt(text, block * BLOCK_BYTES + i * 4);
    if (block === blockCount - 1) words[15] = text.length * 8;
    compress(hash, words);
  }
  return Uint8Array.from({ length: 32 }, (_, i) => at(hash, i >> 2) >>> (24 - 8 * (i & 3)));
}

function wordAt(text: string, offset: number): number {
  let word = 0;
  for (let at = offset; at < offset + 4; at++)
    word = (word << 8) | (at < text.length ? text.charCodeAt(at) & 0xff : at === text.length ? 0x80 : 0);
  return word;
}

/** One block; `words` is the last sixteen words of the message schedule, and is used up. */
function compress(hash: Int32Array, words: Int32Array): void {
  let a = at(hash, 0);
  let b = at(hash, 1);
  let c = at(hash, 2);
  let d = at(hash, 3);
  let e = at(hash, 4);
  let f = at(hash, 5);
  let g = at(hash, 6);
  let h = at(hash, 7);
  for (let round = 0; round < 64; round++) {
    if (round >= 16) words[round & 15] = scheduled(words, round);
    const choice = (e & f) ^ (~e & g);
    const first =
      (h + (turn(e, 6) ^ turn(e, 11) ^ turn(e, 25)) + choice + at(CONSTANTS, round) + at(words, round & 15)) |
      0;
    const majority = (a & b) ^ (a & c) ^ (b & c);
    const second = ((turn(a, 2) ^ turn(a, 13) ^ turn(a, 22)) + majority) | 0;
    h = g;
    g = f;
    f = e;
    e = (d + first) | 0;
    d = c;
    c = b;
    b = a;
    a = (first + second) | 0;
  }
  const sums = [a, b, c, d, e, f, g, h];
  for (let i = 0; i < 8; i++) hash[i] = (at(hash, i) + at(sums, i)) | 0;
}

function scheduled(words: Int32Array, round: number): number {
  const near = at(words, (round - 15) & 15);
  const far = at(words, (round - 2) & 15);
  const sigma = turn(near, 7) ^ turn(near, 18) ^ (near >>> 3);
  const tau = turn(far, 17) ^ turn(far, 19) ^ (far >>> 10);
  return (at(words, round & 15) + sigma + at(words, (round - 7) & 15) + tau) | 0;
}

const at = (words: ArrayLike<number>, index: number): number => words[index] ?? 0;

/** To the right. */
const turn = (word: number, bits: number): number => (word >>> bits) | (word << (32 - bits));

const INITIAL: readonly number[] = Object.freeze([
  0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
]);

/** The first 32 bits of the fractions of the cube roots of the first 64 primes. */
const CONSTANTS: readonly number[] = Object.freeze([
  0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5, 0xd807aa98,
  0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786,
  0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8,
  0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13,
  0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819,
  0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a,
  0x5b9cca4f, 0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7,
  0xc67178f2,
]);
