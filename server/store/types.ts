// What the store remembers of device types. A type of which nothing is remembered is `signed`.

/**
 * `signed`: only releases with a manifest signed by a trusted key. `legacy`: for clients that know no signatures (the mesh gateway's API,
 * Arduino, hawkBit); control of the server is control of their devices.
 */
export type DeviceTypeKind = "signed" | "legacy";

export interface DeviceType {
  readonly name: string;
  readonly kind: DeviceTypeKind;
  readonly createdAt: number;
  readonly updatedAt: number;
}

export interface TypeStore {
  findType(name: string): Promise<DeviceType | undefined>;
  /** By name. */
  listTypes(): Promise<readonly DeviceType[]>;
  /** Inserts, or changes the kind of a type that is there. */
  putType(name: string, kind: DeviceTypeKind, time: number): Promise<DeviceType>;
}
