// The 40 bits of a DHT22 (AM2302) or DHT11, read. The wire itself is skyslot-dht.c's.
//
//   DHT22   humidity u16 │ temperature u16, its first bit the sign │ sum u8      tenths, big-endian (Aosong, AM2302, "Single-bus")
//   DHT11   humidity u8, tenths u8 │ temperature u8, tenths u8 with the sign │ sum u8

export type DhtKind = "dht22" | "dht11";

export interface Climate {
  /** -40 to 80, in tenths. */
  readonly temperatureC: number;
  /** 0 to 100, in tenths. */
  readonly humidityPercent: number;
}

export const DHT_BYTES = 5;
const LEAST_C = -40;
const MOST_C = 80;
const MOST_PERCENT = 100;

/** The values, or why there are none. */
export function readDht(kind: DhtKind, bytes: Uint8Array): Climate | string {
  const [a = 0, b = 0, c = 0, d = 0, sum] = bytes;
  if (((a + b + c + d) & 0xff) !== sum) return "checksum";
  const humidityPercent = kind === "dht22" ? ((a << 8) | b) / 10 : a + b / 10;
  const size = kind === "dht22" ? (((c & 0x7f) << 8) | d) / 10 : c + (d & 0x7f) / 10;
  const isBelowZero = ((kind === "dht22" ? c : d) & 0x80) !== 0;
  // a line that is always low reads as zeros, whose sum is right
  if (a === 0 && b === 0 && c === 0 && d === 0) return "only zeros";
  const temperatureC = isBelowZero ? -size : size;
  if (humidityPercent > MOST_PERCENT || temperatureC < LEAST_C || temperatureC > MOST_C)
    return `out of range: ${temperatureC} °C, ${humidityPercent} %`;
  return { temperatureC, humidityPercent };
}
