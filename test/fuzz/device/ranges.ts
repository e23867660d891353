// Numbers of inputs as a text: 3,7-9. Pure.

export function formatRanges(numbers: readonly number[]): string {
  const parts: string[] = [];
  for (let n = 0; n < numbers.length; ) {
    const first = numbers[n]!;
    let last = first;
    for (n += 1; numbers[n] === last + 1; n += 1) last += 1;
    parts.push(first === last ? `${first}` : `${first}-${last}`);
  }
  return parts.join(",");
}

/** @throws Error if it is no such text */
export function parseRanges(text: string): readonly number[] {
  return text.split(",").flatMap((part) => {
    const [, first, last = first] = /^(\d+)(?:-(\d+))?$/.exec(part) ?? [];
    if (first === undefined) throw new Error(`"${text}" does not name inputs: write 3,7-9`);
    return Array.from({ length: Number(last) - Number(first) + 1 }, (_, n) => Number(first) + n);
  });
}
