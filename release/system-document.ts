// The manifest of a system as JSON, for the devices that poll it: the same from an update server and in a folder of releases. Devices trust the
// signed manifests in it and nothing else of it.

export interface SystemDocument {
  /** Of the system; absent: it is composed of releases, without a manifest of its own. */
  readonly name?: string | undefined;
  readonly version: string;
  /** Oldest version of the system that may be updated to this one. */
  readonly minimum: string;
  /** Milliseconds since 1970. */
  readonly releasedAt: number;
  readonly description: string;
  /** Signed, compact JWS. */
  readonly manifest?: string | undefined;
  readonly rebootDelaySeconds: number;
  readonly healthTimeoutSeconds: number;
}

/** @param devices by their names in the system, in the order in which they are updated */
export function describeDocument<Device extends object>(
  { name, version, minimum, releasedAt, description, manifest, ...waits }: SystemDocument,
  devices: readonly (readonly [name: string, device: Device])[],
  previous: PreviousSystem | undefined,
) {
  return {
    ...(name === undefined ? {} : { system: name }),
    system_version: version,
    min_compatible_version: minimum,
    release_date: new Date(releasedAt).toISOString(),
    description,
    ...(manifest === undefined ? {} : { manifest }),
    devices: Object.fromEntries(devices),
    update_instructions: {
      order: devices.map(([device]) => device),
      reboot_delay_seconds: waits.rebootDelaySeconds,
      health_check_timeout_seconds: waits.healthTimeoutSeconds,
    },
    rollback: previous ? describePrevious(previous) : null,
  };
}

export interface PreviousSystem {
  readonly version: string;
  /** Absolute URLs of its images, by the names of devices. */
  readonly urls: readonly (readonly [name: string, url: string])[];
}

const describePrevious = ({ version, urls }: PreviousSystem) => ({
  previous_version: version,
  urls: Object.fromEntries(urls),
  ...Object.fromEntries(urls.map(([name, url]) => [`${name}_url`, url])),
});
