// What the store remembers of devices that have asked for a panel's picture.

export interface Panel {
  readonly deviceId: string;
  /** When it first asked. */
  readonly askedAt: number;
  /** Of the picture that it has; `null`: none was there for it yet. */
  readonly etag: string | null;
  /** When that was sent to it; `null`: it had it already. */
  readonly fetchedAt: number | null;
}

export interface PanelStore {
  findPanel(deviceId: string): Promise<Panel | undefined>;
  putPanel(panel: Panel): Promise<void>;
}
