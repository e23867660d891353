// The log that the store keeps.

/** A line of the log: written once, never changed. */
export interface LogEvent {
  readonly id: number;
  readonly time: number;
  /** `device.registered`, `update.downloading`, `firmware.uploaded` … */
  readonly kind: string;
  readonly deviceId: string | null;
  readonly firmwareId: number | null;
  readonly updateId: number | null;
  readonly message: string;
  readonly detail: Readonly<Record<string, unknown>> | null;
}

export interface NewLogEvent {
  readonly time: number;
  readonly kind: string;
  readonly deviceId?: string;
  readonly firmwareId?: number;
  readonly updateId?: number;
  readonly message: string;
  readonly detail?: Readonly<Record<string, unknown>>;
}

interface EventFilter {
  readonly deviceId?: string;
  readonly kind?: string;
  /** Only about devices and firmware of these device types. */
  readonly deviceTypes?: readonly string[];
  /** Only events older than this one: how a reader pages back. */
  readonly beforeId?: number;
  readonly limit: number;
}

export interface EventStore {
  /** Appends. */
  addEvent(event: NewLogEvent): Promise<LogEvent>;
  /** Newest first. */
  listEvents(filter: EventFilter): Promise<readonly LogEvent[]>;
  /** Removes what is too old or too much, the oldest first. Returns how many were removed: 0 is the end. */
  pruneEvents(bounds: EventBounds): Promise<number>;
}

interface EventBounds {
  /** Older ones go. */
  readonly before: number;
  /** The newest that may stay. */
  readonly maxCount: number;
  /** Maximum number removed at once, so that other requests do not wait long. */
  readonly limit: number;
}
