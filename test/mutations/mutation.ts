// One defect that is planted in the source to check whether a unit test catches it. The lists beside this file have them by room;
// `npm run test:mutations` plants them one at a time.

export interface Mutation {
  /** What is then wrong, as a short sentence. */
  readonly what: string;
  /** Relative to the project. */
  readonly file: string;
  /** Occurs exactly once in the file. */
  readonly original: string;
  readonly mutated: string;
}

/** @throws Error if the mutation does not fit its file any more */
export function mutate(source: string, { what, file, original, mutated }: Mutation): string {
  const count = source.split(original).length - 1;
  if (count !== 1)
    throw new Error(`${file}: the original of "${what}" occurs ${count} times, not once:\n${original}`);
  return source.replace(original, () => mutated);
}
