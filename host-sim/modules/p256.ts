// ECDSA verification on the curve P-256 over a digest that is already computed, as mbedTLS offers it to firmware; Node's own
// crypto only verifies over the message. Does not sign, and need not run in constant time: nothing is secret.
//
//   y² = x³ − 3x + b over the field of P; points are (X, Y, Z) with x = X/Z², y = Y/Z³ (FIPS 186-5, SEC 1 section 4.1.4)

const P = 0xffffffff00000001000000000000000000000000ffffffffffffffffffffffffn;
const N = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
const B = 0x5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604bn;

type Point = readonly [x: bigint, y: bigint, z: bigint];
const INFINITY: Point = [1n, 1n, 0n];
const G: Point = [
  0x6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296n,
  0x4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5n,
  1n,
];

/** Thousands of virtual devices verify the same few releases: what was verified is kept, up to this many. */
const KEPT_COUNT_MAX = 64;
const kept = new Map<string, boolean>();

/**
 * Whether the signature is good.
 * @param publicKey 65 bytes, 0x04 ‖ x ‖ y
 * @param digest 32 bytes
 * @param signature 64 bytes, r ‖ s
 */
export function verifyP256(publicKey: Uint8Array, digest: Uint8Array, signature: Uint8Array): boolean {
  const key = [publicKey, digest, signature].map((part) => Buffer.from(part).toString("base64")).join();
  const known = kept.get(key);
  if (known !== undefined) return known;
  const isGood = verify(publicKey, digest, signature);
  if (kept.size === KEPT_COUNT_MAX) kept.clear();
  kept.set(key, isGood);
  return isGood;
}

function verify(publicKey: Uint8Array, digest: Uint8Array, signature: Uint8Array): boolean {
  if (publicKey.length !== 65 || publicKey[0] !== 4 || digest.length !== 32 || signature.length !== 64)
    return false;
  const x = toNumber(publicKey.subarray(1, 33));
  const y = toNumber(publicKey.subarray(33));
  const r = toNumber(signature.subarray(0, 32));
  const s = toNumber(signature.subarray(32));
  if (x >= P || y >= P || mod(y * y - x * x * x + 3n * x - B) !== 0n) return false;
  if (r === 0n || r >= N || s === 0n || s >= N) return false;
  const inverse = invert(s, N);
  const [sumX, , sumZ] = addMultiples((toNumber(digest) * inverse) % N, (r * inverse) % N, [x, y, 1n]);
  if (sumZ === 0n) return false;
  const inverseZ = invert(sumZ, P);
  return mod(sumX * inverseZ * inverseZ) % N === r;
}

/** a·G + b·Q, both at once. */
function addMultiples(a: bigint, b: bigint, q: Point): Point {
  const both = add(G, q);
  let sum = INFINITY;
  for (let bit = 255n; bit >= 0n; bit -= 1n) {
    sum = double(sum);
    const choice = ((a >> bit) & 1n) * 2n + ((b >> bit) & 1n);
    if (choice === 3n) sum = add(sum, both);
    else if (choice === 2n) sum = add(sum, G);
    else if (choice === 1n) sum = add(sum, q);
  }
  return sum;
}

function double([x, y, z]: Point): Point {
  if (z === 0n || y === 0n) return INFINITY;
  const zz = mod(z * z);
  const yy = mod(y * y);
  const m = mod(3n * (x - zz) * (x + zz));
  const t = mod(4n * x * yy);
  const x2 = mod(m * m - 2n * t);
  return [x2, mod(m * (t - x2) - 8n * yy * yy), mod(2n * y * z)];
}

function add(a: Point, b: Point): Point {
  const [ax, ay, az] = a;
  const [bx, by, bz] = b;
  if (az === 0n) return b;
  if (bz === 0n) return a;
  const azz = mod(az * az);
  const bzz = mod(bz * bz);
  const u = mod(ax * bzz);
  const s = mod(ay * bzz * bz);
  const h = mod(bx * azz - u);
  const r = mod(by * azz * az - s);
  if (h === 0n) return r === 0n ? double(a) : INFINITY;
  const hh = mod(h * h);
  const hhh = mod(hh * h);
  const v = mod(u * hh);
  const x = mod(r * r - hhh - 2n * v);
  return [x, mod(r * (v - x) - s * hhh), mod(az * bz * h)];
}

function mod(value: bigint): bigint {
  const rest = value % P;
  return rest < 0n ? rest + P : rest;
}

/** By the extended Euclidean algorithm; `value` is not 0. */
function invert(value: bigint, modulus: bigint): bigint {
  let [low, high] = [value % modulus, modulus];
  let [lowFactor, highFactor] = [1n, 0n];
  while (low > 1n) {
    const quotient = high / low;
    [low, high] = [high - quotient * low, low];
    [lowFactor, highFactor] = [highFactor - quotient * lowFactor, lowFactor];
  }
  return ((lowFactor % modulus) + modulus) % modulus;
}

function toNumber(bytes: Uint8Array): bigint {
  let value = 0n;
  for (const byte of bytes) value = (value << 8n) | BigInt(byte);
  return value;
}
