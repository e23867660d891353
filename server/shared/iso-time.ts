// Times as text, as everything that leaves the server has them.

/** ISO 8601, of milliseconds since 1970. */
export const time = (milliseconds: number): string => new Date(milliseconds).toISOString();

export const timeOrNull = (milliseconds: number | null | undefined): string | null =>
  milliseconds === null || milliseconds === undefined ? null : time(milliseconds);
