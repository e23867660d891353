// What the store remembers of a device's own words about itself: an inventory of names and texts.

export type Attributes = Readonly<Record<string, string>>;

export interface AttributeStore {
  /** `undefined`: the device has never reported any. */
  findAttributes(deviceId: string): Promise<Attributes | undefined>;
  /** Replaces them all. */
  putAttributes(deviceId: string, attributes: Attributes, time: number): Promise<void>;
}
