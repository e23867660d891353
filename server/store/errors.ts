// How a store refuses.

/** A record that must be unique is there already. */
export class AlreadyExists extends Error {
  override readonly name = "AlreadyExists";
}

/** The connection to the database ended, or there is none: whatever it was to do can be tried again later. */
export class DatabaseLost extends Error {
  override readonly name = "DatabaseLost";
  /** The connection ended while it committed: whether that was carried out, nobody knows. */
  readonly mayBeKept: boolean;

  constructor(cause: unknown, mayBeKept: boolean) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    super(`the connection to the database was lost: ${reason}`, { cause });
    this.mayBeKept = mayBeKept;
  }
}

/** Other transactions kept setting this one back: nothing of it was kept, and it can be tried again later. */
export class DatabaseBusy extends Error {
  override readonly name = "DatabaseBusy";

  constructor(cause: unknown) {
    super("other transactions kept setting this one back", { cause });
  }
}
