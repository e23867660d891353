/**
 * The multicast DNS engine behind `embedded:network/dnssd`: probes for host names, announces and answers for services,
 * collects what others announce. Speaks real packets over firmware's UDP class.
 */

import type { Machine } from "../machine.js";
import {
  CLASS_IN,
  type DnsMessage,
  type DnsQuestion,
  type DnsRecord,
  decodeDns,
  dnsMessage,
  encodeDns,
  FLAG_AUTHORITATIVE,
  FLAG_RESPONSE,
  RR,
  TOP_BIT,
} from "../network/dns-packet.js";
import type { Scheduled } from "../world.js";
import { type Dictionary, isSwallowed, type Native } from "./native.js";

const MDNS_ADDRESS = "224.0.0.251";
const MDNS_PORT = 5353;
const PROBE_COUNT = 3;
const PROBE_INTERVAL_MS = 250;
const ANNOUNCE_INTERVALS_MS = Object.freeze([500, 500, 1000, 2000, 4000, 8000, 16000]);
const QUERY_INTERVALS_MS = Object.freeze([1, 1000, 2000, 4000]);
const HOST_TTL_S = 120;
const SERVICE_TTL_S = 4500;

export interface Service {
  /** Such as "_http._tcp". */
  readonly serviceType: string;
  readonly host: string;
  readonly name: string;
  readonly port: number;
  txt: readonly string[];
}

export interface Instance {
  readonly name: string;
  host?: string;
  address?: string;
  port?: number;
  txt?: readonly string[];
  isFound?: boolean;
}

export interface Claim {
  readonly host: string;
  readonly onReady: () => void;
  readonly onError: () => void;
}

export interface Monitor {
  readonly serviceType: string;
  readonly onInstance: (instance: Instance) => void;
}

interface Socket {
  read(): (ArrayBuffer & { address: string; port: number }) | undefined;
  write(packet: ArrayBuffer, address: string, port: number): void;
  add(address: string): void;
  close(): void;
}

/** A host name under way: `hasLost` once somebody else answered for it. */
interface Probe {
  readonly claim: Claim;
  isReady: boolean;
  hasLost: boolean;
  timer: Scheduled | undefined;
}

export class MdnsResponder {
  #machine: Machine;
  #native: Native;
  #socket: Socket;
  #probes: Probe[] = [];
  #services = new Map<Service, Scheduled>();
  #monitors = new Map<Monitor, { instances: Instance[]; timer: Scheduled | undefined }>();

  constructor(machine: Machine, native: Native, options: Dictionary) {
    this.#machine = machine;
    this.#native = native;
    const socket = options.socket as Dictionary;
    const receive = (packet: ReturnType<Socket["read"]>): void => this.#receive(packet);
    this.#socket = new (socket.io as new (options: object) => Socket)(
      native.object({
        ...socket,
        target: this,
        port: MDNS_PORT,
        onReadable(this: Socket, count: number) {
          for (let index = 0; index < count; index += 1) receive(this.read());
        },
      }),
    );
    this.#socket.add(MDNS_ADDRESS);
  }

  close(): void {
    for (const service of [...this.#services.keys()]) this.withdraw(service);
    for (const monitor of [...this.#monitors.keys()]) this.forget(monitor);
    for (const { timer } of this.#probes) timer?.cancel();
    this.#probes = [];
    this.#socket.close();
  }

  /** Asks three times whether somebody has the name; silence makes it ours. */
  claim(claim: Claim): void {
    if (this.#probes.some((probe) => probe.claim.host === claim.host)) throw this.#native.error("duplicate");
    const probe: Probe = { claim, isReady: false, hasLost: false, timer: undefined };
    this.#probes.push(probe);
    this.#probeLater(probe, 0);
  }

  unclaim(claim: Claim): void {
    for (const probe of this.#probes) if (probe.claim === claim) probe.timer?.cancel();
    this.#probes = this.#probes.filter((probe) => probe.claim !== claim);
  }

  /** Announces a service at once, and again ever more rarely. */
  advertise(service: Service): void {
    this.#announceLater(service, 0);
    this.#send({ flags: FLAG_RESPONSE | FLAG_AUTHORITATIVE, answers: this.#recordsOf(service, 0) });
  }

  /** Tells of a changed text. */
  updateText(service: Service): void {
    if (!this.#services.has(service)) throw this.#native.error("service not found");
    const answers = this.#recordsOf(service).filter(({ type }) => type === RR.TXT);
    this.#send({ flags: FLAG_RESPONSE | FLAG_AUTHORITATIVE, answers });
  }

  withdraw(service: Service): void {
    this.#services.get(service)?.cancel();
    this.#services.delete(service);
    this.#send({ flags: FLAG_RESPONSE | FLAG_AUTHORITATIVE, answers: this.#recordsOf(service, 0) });
  }

  monitor(monitor: Monitor): void {
    const state: { instances: Instance[]; timer: Scheduled | undefined } = {
      instances: [],
      timer: undefined,
    };
    this.#monitors.set(monitor, state);
    const ask = (count: number): void => {
      const intervalMs = QUERY_INTERVALS_MS[count];
      if (intervalMs === undefined) return;
      state.timer = this.#machine.after(intervalMs, () => {
        const name = `${monitor.serviceType}.local`;
        this.#send({ questions: [{ name, type: RR.PTR, class: CLASS_IN | (count === 0 ? TOP_BIT : 0) }] });
        ask(count + 1);
      });
    };
    ask(0);
  }

  forget(monitor: Monitor): void {
    this.#monitors.get(monitor)?.timer?.cancel();
    this.#monitors.delete(monitor);
  }

  #probeLater(probe: Probe, count: number): void {
    probe.timer = this.#machine.after(PROBE_INTERVAL_MS, () => {
      if (probe.hasLost) {
        this.unclaim(probe.claim);
        return probe.claim.onError();
      }
      if (count === PROBE_COUNT) {
        probe.isReady = true;
        return probe.claim.onReady();
      }
      const name = `${probe.claim.host}.local`;
      this.#send({
        flags: FLAG_AUTHORITATIVE,
        questions: [{ name, type: RR.ANY, class: CLASS_IN | TOP_BIT }],
        authorities: this.#hostRecord(probe.claim.host, undefined),
      });
      this.#probeLater(probe, count + 1);
    });
  }

  #announceLater(service: Service, count: number): void {
    const intervalMs = ANNOUNCE_INTERVALS_MS[count] ?? 0;
    const timer = this.#machine.after(intervalMs, () => {
      this.#send({ flags: FLAG_RESPONSE | FLAG_AUTHORITATIVE, answers: this.#recordsOf(service) });
      if (count + 1 < ANNOUNCE_INTERVALS_MS.length) this.#announceLater(service, count + 1);
    });
    this.#services.set(service, timer);
  }

  #receive(packet: ReturnType<Socket["read"]>): void {
    const message = packet && decodeDns(new Uint8Array(packet));
    if (!packet || !message) return;
    if (message.flags & FLAG_RESPONSE) {
      this.#noticeConflicts(message);
      this.#collect([...message.answers, ...message.additionals]);
    } else {
      this.#noticeRivals(message);
      this.#answer(message, packet.address, packet.port);
    }
  }

  #noticeConflicts({ answers }: DnsMessage): void {
    for (const probe of this.#probes) {
      const name = `${probe.claim.host}.local`.toLowerCase();
      if (probe.isReady) continue;
      probe.hasLost ||= answers.some((one) => one.type === RR.A && one.name.toLowerCase() === name);
    }
  }

  /** Two that probe for one name at a time: the higher address wins (RFC 6762, 8.2). */
  #noticeRivals({ authorities }: DnsMessage): void {
    for (const probe of this.#probes) {
      const name = `${probe.claim.host}.local`.toLowerCase();
      if (probe.isReady) continue;
      for (const { type, name: theirs, data } of authorities) {
        if (type !== RR.A || theirs.toLowerCase() !== name || !("address" in data)) continue;
        probe.hasLost ||= isLower(this.#address(undefined) ?? "0.0.0.0", data.address);
      }
    }
  }

  #answer(message: DnsMessage, address: string, port: number): void {
    for (const isUnicast of [false, true]) {
      const questions = message.questions.filter((one) => ((one.class & TOP_BIT) !== 0) === isUnicast);
      const answers = unique(questions.flatMap((question) => this.#answersTo(question, message, address)));
      if (answers.length === 0) continue;
      const response = { id: message.id, flags: FLAG_RESPONSE | FLAG_AUTHORITATIVE, answers };
      if (isUnicast) this.#send(response, address, port);
      else this.#send(response);
    }
  }

  #answersTo(question: DnsQuestion, { answers }: DnsMessage, from: string): DnsRecord[] {
    const name = question.name.toLowerCase();
    const records: DnsRecord[] = [];
    const host = this.#probes.find(
      ({ claim, isReady }) => isReady && `${claim.host}.local`.toLowerCase() === name,
    );
    if (host !== undefined && [RR.A, RR.ANY].includes(question.type as 1)) {
      records.push(...this.#hostRecord(host.claim.host, from));
    }
    if (host !== undefined && question.type === RR.AAAA) records.push(onlyIp4(host.claim.host));
    for (const service of this.#services.keys()) {
      const all = this.#recordsOf(service);
      const isType = name === `${service.serviceType}.local`.toLowerCase();
      const instance = instanceName(service).toLowerCase();
      const isKnown = answers.some(
        ({ data }) => "target" in data && data.target.toLowerCase() === instance && !("port" in data),
      );
      if (question.type === RR.PTR && isType && !isKnown) records.push(...all);
      else if (question.type === RR.PTR && name === "_services._dns-sd._udp.local")
        records.push(...all.slice(0, 1));
      else if (name === instance) records.push(...all.filter(({ type }) => type === question.type));
    }
    return records;
  }

  /** Everything about a service: what types there are, the instance, its text, its place, its host's address. */
  #recordsOf(service: Service, ttl?: number): DnsRecord[] {
    const { serviceType, host, port, txt } = service;
    const name = instanceName(service);
    const type = `${serviceType}.local`;
    const record = (owner: string, rr: number, seconds: number, data: DnsRecord["data"]): DnsRecord => ({
      name: owner,
      type: rr,
      class: CLASS_IN,
      ttl: ttl ?? seconds,
      data,
    });
    return [
      record("_services._dns-sd._udp.local", RR.PTR, SERVICE_TTL_S, { target: type }),
      record(type, RR.PTR, SERVICE_TTL_S, { target: name }),
      record(name, RR.TXT, SERVICE_TTL_S, { strings: txt }),
      record(name, RR.SRV, HOST_TTL_S, { priority: 0, weight: 0, port, target: `${host}.local` }),
      ...this.#hostRecord(host, undefined).map((one) => ({ ...one, ttl: ttl ?? one.ttl })),
    ];
  }

  #hostRecord(host: string, from: string | undefined): DnsRecord[] {
    const address = this.#address(from);
    if (address === undefined) return [];
    return [
      { name: `${host}.local`, type: RR.A, class: CLASS_IN | TOP_BIT, ttl: HOST_TTL_S, data: { address } },
    ];
  }

  /** Our address as the other side sees it. */
  #address(from: string | undefined): string | undefined {
    const { network, radio } = this.#machine;
    const route = from === undefined ? undefined : network.routeTo(from);
    return route?.localAddress ?? radio.stationAddress ?? network.interfaces[0]?.address;
  }

  #collect(records: readonly DnsRecord[]): void {
    for (const [monitor, { instances }] of this.#monitors) {
      const changed = new Set<Instance>();
      for (const record of records) {
        for (const instance of learn(instances, `${monitor.serviceType}.local`, record))
          changed.add(instance);
      }
      for (const instance of changed) {
        if (instance.host && instance.address && instance.txt) monitor.onInstance(instance);
      }
    }
  }

  #send(parts: Partial<DnsMessage>, address: string = MDNS_ADDRESS, port: number = MDNS_PORT): void {
    try {
      this.#socket.write(this.#native.arrayBuffer(encodeDns(dnsMessage(parts))), address, port);
    } catch (error) {
      if (!isSwallowed(this.#machine, error)) throw error; // no network just now: the next announcement may get out
    }
  }
}

/** Takes what one record says into the instances of a type; gives those that it changed. */
function learn(instances: Instance[], type: string, record: DnsRecord): Instance[] {
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

/** An NSEC record that says: this name has an IPv4 address only. */
function onlyIp4(host: string): DnsRecord {
  const bytes = Uint8Array.of(0xc0, 0x0c, 0, 4, 0x40, 0, 0, 0);
  return {
    name: `${host}.local`,
    type: RR.NSEC,
    class: CLASS_IN | TOP_BIT,
    ttl: HOST_TTL_S,
    data: { bytes },
  };
}

function instanceName({ name, serviceType }: Service): string {
  return `${name}.${serviceType}.local`;
}

function isLower(a: string, b: string): boolean {
  const [left, right] = [a, b].map((address) => address.split(".").map(Number)) as [number[], number[]];
  const at = left.findIndex((part, index) => part !== right[index]);
  return at >= 0 && (left[at] as number) < (right[at] as number);
}

function unique(records: readonly DnsRecord[]): DnsRecord[] {
  const seen = new Map(records.map((record) => [JSON.stringify(record), record]));
  return [...seen.values()];
}
