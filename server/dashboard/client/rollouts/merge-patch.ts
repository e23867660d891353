// The difference of two requests, as a JSON merge patch (RFC 7396). Pure.

type Fields = Readonly<Record<string, unknown>>;

/** The patch that turns `before` into `after`: without equal values, null for removed ones. */
export function patchBetween(before: Fields, after: Fields): Fields {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])];
  const changes = names.flatMap((name): (readonly [string, unknown])[] => {
    const [was, is] = [before[name], after[name]];
    if (JSON.stringify(was) === JSON.stringify(is)) return [];
    return [[name, isFields(was) && isFields(is) ? patchBetween(was, is) : (is ?? null)]];
  });
  return Object.fromEntries(changes);
}

const isFields = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value);
