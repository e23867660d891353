// JSON of values that may be constants. Preloaded constants are in the chip's flash, and XS's JSON.stringify refuses objects there: it
// marks each object while it is inside ("TypeError: read only value").

/** As JSON.stringify; of frozen objects and arrays it writes a copy. */
export const writeJson = (value: unknown): string => JSON.stringify(value, unfrozen);

function unfrozen(_name: string, value: unknown): unknown {
  if (typeof value !== "object" || value === null || !Object.isFrozen(value)) return value;
  return Array.isArray(value) ? [...value] : { ...value };
}
