// How a store refuses.

/** A record that must be unique is there already. */
export class AlreadyExists extends Error {
  override readonly name = "AlreadyExists";
}
