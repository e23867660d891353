/**
 * What others in the network announce: the instances of a type of service, put together from records that come one by one in
 * any order. Sends no queries itself.
 */

import { type DnsRecord, RR } from "../../network/dns-packet.js";

/** One instance; fields that no record has set yet are missing. */
export interface Instance {
  readonly name: string;
  /** With ".local". */
  host?: string;
  address?: string;
  port?: number;
  txt?: readonly string[];
  /** Firmware has been notified of it. */
  isFound?: boolean;
}

/** Takes what one record says into the instances of a type; gives those that it changed. */
export function learn(instances: Instance[], type: string, record: DnsRecord): Instance[] {
  const { data } = record;
  const owner = record.name.toLowerCase();
  const suffix = `.${type.toLowerCase()}`;
  if (record.ttl === 0) return [];
  if (record.type === RR.A && "address" in data) {
    const concerned = instances.filter(({ host, address }) => {
      return host?.toLowerCase() === owner && address !== data.address;
    });
    for (const instance of concerned) instance.address = data.address;
    return concerned;
  }
  const full =
    record.type === RR.PTR && owner === suffix.slice(1) && "target" in data ? data.target : record.name;
  if (!full.toLowerCase().endsWith(suffix)) return [];
  const name = full.slice(0, -suffix.length);
  let instance = instances.find((one) => one.name.toLowerCase() === name.toLowerCase());
  if (instance === undefined) {
    instance = { name };
    instances.push(instance);
  }
  return update(instance, data) ? [instance] : [];
}

function update(instance: Instance, data: DnsRecord["data"]): boolean {
  if ("port" in data) {
    if (instance.port === data.port && instance.host === data.target) return false;
    Object.assign(instance, { port: data.port, host: data.target });
    return true;
  }
  if (!("strings" in data) || instance.txt?.join("\0") === data.strings.join("\0")) return false;
  instance.txt = data.strings;
  return true;
}
