/**
 * The DNS records by which a device announces itself and its services in its own network (RFC 6762, RFC 6763), with the
 * lifetimes that the SDK uses. Sends nothing itself.
 */

import { CLASS_IN, type DnsRecord, RR, TOP_BIT } from "../../network/dns-packet.js";

const HOST_TTL_S = 120;
const SERVICE_TTL_S = 4500;
/** The name under which the types of all services are found (RFC 6763, 9). */
export const ALL_SERVICES = "_services._dns-sd._udp.local";

export interface Service {
  /** Such as "_http._tcp". */
  readonly serviceType: string;
  /** Without ".local". */
  readonly host: string;
  readonly name: string;
  readonly port: number;
  txt: readonly string[];
}

export const hostName = (host: string): string => `${host}.local`;
export const typeName = (serviceType: string): string => `${serviceType}.local`;
export const instanceName = ({ name, serviceType }: Service): string => `${name}.${serviceType}.local`;

/**
 * All records of a service: its type, instance, text, location and the host's address.
 * @param address of the host; undefined: it has none now
 * @param ttl seconds; 0 withdraws the records
 */
export function serviceRecords(service: Service, address: string | undefined, ttl?: number): DnsRecord[] {
  const { serviceType, host, port, txt } = service;
  const name = instanceName(service);
  const type = typeName(serviceType);
  const record = (owner: string, rr: number, seconds: number, data: DnsRecord["data"]): DnsRecord => ({
    name: owner,
    type: rr,
    class: CLASS_IN,
    ttl: ttl ?? seconds,
    data,
  });
  return [
    record(ALL_SERVICES, RR.PTR, SERVICE_TTL_S, { target: type }),
    record(type, RR.PTR, SERVICE_TTL_S, { target: name }),
    record(name, RR.TXT, SERVICE_TTL_S, { strings: txt }),
    record(name, RR.SRV, HOST_TTL_S, { priority: 0, weight: 0, port, target: hostName(host) }),
    ...hostRecords(host, address).map((one) => ({ ...one, ttl: ttl ?? one.ttl })),
  ];
}

/** Without an address the SDK sends a record that is empty. */
export const hostRecords = (host: string, address: string | undefined): DnsRecord[] => [
  hostRecord(host, RR.A, address === undefined ? { bytes: new Uint8Array(0) } : { address }),
];

/** An NSEC record that says: this name has an IPv4 address only (RFC 6762, 6.1). */
export function onlyIp4(host: string): DnsRecord {
  return hostRecord(host, RR.NSEC, { bytes: Uint8Array.of(0xc0, 0x0c, 0, 4, 0x40, 0, 0, 0) });
}

function hostRecord(host: string, type: number, data: DnsRecord["data"]): DnsRecord {
  return { name: hostName(host), type, class: CLASS_IN | TOP_BIT, ttl: HOST_TTL_S, data };
}
