// Who changed what: appended in the transaction of the change, never changed, never removed.

type Json = Readonly<Record<string, unknown>>;

export interface AuditEntry {
  readonly id: number;
  readonly time: number;
  /** Name of who did it. */
  readonly actor: string;
  readonly actorKind: string;
  readonly userId: number | null;
  readonly address: string;
  /** `firmware.changed`, `user.disabled` … */
  readonly action: string;
  /** What was changed: `firmware/3`, `user/ada` … */
  readonly subject: string;
  /** The fields that differ, as they were and as they are; without secrets. `null`: it did not exist, or does not any more. */
  readonly before: Json | null;
  readonly after: Json | null;
}

export type NewAuditEntry = Omit<AuditEntry, "id">;

interface AuditFilter {
  readonly actor?: string;
  /** The action, or what stands before its dot. */
  readonly action?: string;
  /** The subject, or what stands before its slash. */
  readonly subject?: string;
  /** At this time or later. */
  readonly since?: number;
  /** Before this time. */
  readonly until?: number;
  /** Only entries older than this one: how a reader pages back. */
  readonly beforeId?: number;
  readonly limit: number;
}

export interface AuditStore {
  addAudit(entry: NewAuditEntry): Promise<AuditEntry>;
  /** Newest first. */
  listAudit(filter: AuditFilter): Promise<readonly AuditEntry[]>;
}
