// What answers by multicast DNS say of the instances of one service (RFC 6763): where each is, and what is still to be asked. Anyone in the
// network may answer, so the number of names is bounded. Sends nothing, and believes nothing that it was not asked about.

import {
  CLASS_IN,
  type DnsMessage,
  type DnsQuestion,
  type DnsRecord,
  FLAG_RESPONSE,
  RR,
} from "../../host-sim/network/dns-packet.js";

/** One instance whose host and address are known. */
export interface FoundService {
  /** Without the service and `.local`. */
  readonly name: string;
  /** Such as `base-a1b2c3.local`. */
  readonly host: string;
  /** IPv4. */
  readonly address: string;
  readonly port: number;
  /** `key=value` of its TXT record. */
  readonly text: ReadonlyMap<string, string>;
}

interface Instance {
  readonly name: string;
  host?: string;
  port?: number;
  text?: ReadonlyMap<string, string>;
}

/** More in one network are left out. */
const MAX_INSTANCE_COUNT = 500;

export class ServiceAnswers {
  /** Such as `_ota._tcp.local`. */
  readonly #service: string;
  /** By their full names in lower case, as all names here. */
  readonly #instances = new Map<string, Instance>();
  readonly #addresses = new Map<string, string>();

  /** @param service such as `_ota._tcp` */
  constructor(service: string) {
    this.#service = `${service}.local`;
  }

  take(message: DnsMessage): void {
    if (!(message.flags & FLAG_RESPONSE)) return;
    const records = [...message.answers, ...message.additionals];
    for (const record of records) if (record.type === RR.PTR) this.#takePointer(record);
    for (const record of records) this.#takeDetail(record);
    const hosts = new Set([...this.#instances.values()].map(({ host }) => host?.toLowerCase()));
    for (const { name, type, data } of records)
      if (type === RR.A && "address" in data && hosts.has(name.toLowerCase()))
        this.#addresses.set(name.toLowerCase(), data.address);
  }

  /** What is not known yet: the instances always, as not all have answered. */
  get questions(): DnsQuestion[] {
    const ask = (name: string, type: number): DnsQuestion => ({ name, type, class: CLASS_IN });
    const missing = [...this.#instances].flatMap(([name, { host, text }]) => [
      ...(host === undefined ? [ask(name, RR.SRV)] : []),
      ...(text === undefined ? [ask(name, RR.TXT)] : []),
      ...(host !== undefined && !this.#addresses.has(host.toLowerCase()) ? [ask(host, RR.A)] : []),
    ]);
    return [ask(this.#service, RR.PTR), ...missing];
  }

  /** In the order of their names. */
  get found(): FoundService[] {
    const found = [...this.#instances.values()].flatMap(({ name, host, port, text = new Map() }) => {
      const address = host === undefined ? undefined : this.#addresses.get(host.toLowerCase());
      return host === undefined || port === undefined || address === undefined
        ? []
        : [{ name, host, address, port, text }];
    });
    return found.sort((one, other) => one.name.localeCompare(other.name));
  }

  #takePointer({ name, ttl, data }: DnsRecord): void {
    if (name.toLowerCase() !== this.#service || !("target" in data)) return;
    const key = data.target.toLowerCase();
    if (ttl === 0) this.#instances.delete(key);
    else if (key.endsWith(`.${this.#service}`) && !this.#instances.has(key) && this.#hasRoom)
      this.#instances.set(key, { name: data.target.slice(0, -this.#service.length - 1) });
  }

  get #hasRoom(): boolean {
    return this.#instances.size < MAX_INSTANCE_COUNT;
  }

  #takeDetail({ name, type, data }: DnsRecord): void {
    const instance = this.#instances.get(name.toLowerCase());
    if (!instance) return;
    if (type === RR.SRV && "port" in data) {
      instance.host = data.target;
      instance.port = data.port;
    } else if (type === RR.TXT && "strings" in data) instance.text = textOf(data.strings);
  }
}

/** A string without `=` has no value. */
function textOf(strings: readonly string[]): Map<string, string> {
  const pairs = strings.map((text): [string, string] => {
    const at = text.indexOf("=");
    return at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at + 1)];
  });
  return new Map(pairs);
}
