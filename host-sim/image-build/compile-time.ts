// When an image was built, as C's __DATE__ and __TIME__ say it in an app description.

const MONTHS = Object.freeze("Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" "));

/**
 * UTC. Now, or the time that SOURCE_DATE_EPOCH names (seconds since 1970, reproducible-builds.org): with it the same sources give the same
 * image.
 */
export function compileTime(env: NodeJS.ProcessEnv = process.env): {
  readonly date: string;
  readonly time: string;
} {
  const epoch = env.SOURCE_DATE_EPOCH;
  if (epoch !== undefined && !/^\d{1,11}$/.test(epoch))
    throw new Error(`SOURCE_DATE_EPOCH is "${epoch}", not a number of seconds since 1970`);
  const at = epoch === undefined ? new Date() : new Date(Number(epoch) * 1000);
  const day = `${at.getUTCDate()}`.padStart(2);
  return {
    date: `${MONTHS[at.getUTCMonth()]} ${day} ${at.getUTCFullYear()}`,
    time: at.toISOString().slice(11, 19),
  };
}
