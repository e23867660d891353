// What the store remembers of trust roots: their texts, as devices verify them. Which of them a device has is a field of the device.

export interface StoredRoot {
  /** 1 or more. */
  readonly version: number;
  /** JWS in General JSON Serialization. */
  readonly text: string;
  readonly createdAt: number;
}

export interface RootVersionCount {
  /** `null`: these devices have none, or do not say so. */
  readonly rootVersion: number | null;
  readonly deviceCount: number;
}

export interface TrustRootStore {
  /** What devices are answered may change. @throws AlreadyExists if there is one of this version */
  addRoot(root: StoredRoot): Promise<void>;
  findRoot(version: number): Promise<StoredRoot | undefined>;
  findNewestRoot(): Promise<StoredRoot | undefined>;
  /** Newest first. */
  listRoots(): Promise<readonly StoredRoot[]>;
  /** How many devices have which root, the lowest version first, those without one last. */
  countRootVersions(): Promise<readonly RootVersionCount[]>;
}
