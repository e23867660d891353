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

export interface EventFilter {
  readonly deviceId?: string;
  readonly kind?: string;
  /** Only events older than this one: how a reader pages back. */
  readonly beforeId?: number;
  readonly limit: number;
}

/** Newest events that are kept: about half a year of a fleet of a hundred. */
export const MAX_EVENT_COUNT = 200_000;

export interface EventStore {
  /** Appends. The oldest go when there are more than MAX_EVENT_COUNT. */
  addEvent(event: NewLogEvent): Promise<LogEvent>;
  /** Newest first. */
  listEvents(filter: EventFilter): Promise<readonly LogEvent[]>;
}
