// What the store knows of the fleet as a whole.

export interface VersionCount {
  readonly deviceType: string;
  readonly version: string;
  readonly deviceCount: number;
}
export interface VersionSample extends VersionCount {
  readonly time: number;
}

export interface FleetStore {
  /** How many devices run which version now: by type, then by version as a text. */
  countVersions(): Promise<readonly VersionCount[]>;
  /** Stores what `countVersions` returns. A second sample of the same time changes nothing. */
  sampleVersions(time: number): Promise<void>;
  /** Time of the newest sample. */
  findLastSampleTime(): Promise<number | undefined>;
  /** From a time on, the oldest first; of one type or of all. */
  listVersionSamples(since: number, deviceType?: string): Promise<readonly VersionSample[]>;
  /** Before `thinBefore` only the first sample of a day (UTC) stays, before `removeBefore` none. */
  pruneVersionSamples(bounds: { readonly thinBefore: number; readonly removeBefore: number }): Promise<void>;
}
