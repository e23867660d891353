/**
 * The multicast DNS engine behind `embedded:network/dnssd`: probes for host names, announces and answers for services,
 * collects what others announce. Speaks real packets over firmware's UDP class.
 */

import type { Machine } from "../../machine/machine.js";
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
} from "../../network/dns-packet.js";
import { SOFT_AP_ADDRESS } from "../../network/soft-access-point.js";
import type { Scheduled } from "../../world/world.js";
import { type Dictionary, isSwallowed, type Native } from "../native.js";
import { type Instance, learn } from "./mdns-instances.js";
import {
  ALL_SERVICES,
  hostName,
  hostRecords,
  instanceName,
  onlyIp4,
  type Service,
  serviceRecords,
  typeName,
} from "./mdns-records.js";

const MDNS_ADDRESS = "224.0.0.251";
const MDNS_PORT = 5353;
const PROBE_COUNT = 3;
const PROBE_INTERVAL_MS = 250;
const ANNOUNCE_INTERVALS_MS = Object.freeze([500, 500, 1000, 2000, 4000, 8000, 16000]);
const QUERY_INTERVALS_MS = Object.freeze([1, 1000, 2000, 4000]);
const ANSWER_FLAGS = FLAG_RESPONSE | FLAG_AUTHORITATIVE;
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

/** A host name that is being claimed: `hasLost` once another host answered for it. */
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

  /** Asks three times whether another host has the name; without an answer it is ours. */
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
    this.#send({ flags: ANSWER_FLAGS, answers: this.#recordsOf(service, 0) });
  }

  /** Announces a changed text. */
  updateText(service: Service): void {
    if (!this.#services.has(service)) throw this.#native.error("service not found");
    const answers = this.#recordsOf(service).filter(({ type }) => type === RR.TXT);
    this.#send({ flags: ANSWER_FLAGS, answers });
  }

  withdraw(service: Service): void {
    this.#services.get(service)?.cancel();
    this.#services.delete(service);
    this.#send({ flags: ANSWER_FLAGS, answers: this.#recordsOf(service, 0) });
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
        const name = typeName(monitor.serviceType);
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
      const name = hostName(probe.claim.host);
      this.#send({
        flags: FLAG_AUTHORITATIVE,
        questions: [{ name, type: RR.ANY, class: CLASS_IN | TOP_BIT }],
        answers: hostRecords(probe.claim.host, this.#address()),
      });
      this.#probeLater(probe, count + 1);
    });
  }

  #announceLater(service: Service, count: number): void {
    const intervalMs = ANNOUNCE_INTERVALS_MS[count] ?? 0;
    const timer = this.#machine.after(intervalMs, () => {
      this.#send({ flags: ANSWER_FLAGS, answers: this.#recordsOf(service) });
      if (count + 1 < ANNOUNCE_INTERVALS_MS.length) this.#announceLater(service, count + 1);
    });
    this.#services.set(service, timer);
  }

  #receive(packet: ReturnType<Socket["read"]>): void {
    const message = packet && decodeDns(new Uint8Array(packet));
    if (!packet || !message) return;
    const records = [...message.answers, ...message.additionals];
    this.#noticeConflicts(records);
    this.#collect(records);
    this.#noticeRivals(message);
    if (!(message.flags & FLAG_RESPONSE)) this.#answer(message, packet.address, packet.port);
  }

  /** Any record of the name counts, in questions too: two SDK devices that probe at a time both lose (theirs is in the wrong section). */
  #noticeConflicts(records: readonly DnsRecord[]): void {
    for (const probe of this.#probes) {
      const name = hostName(probe.claim.host).toLowerCase();
      if (probe.isReady) continue;
      probe.hasLost ||= records.some((one) => one.type === RR.A && one.name.toLowerCase() === name);
    }
  }

  /** Two that probe for one name at a time: the higher address wins (RFC 6762, 8.2). Without an address the SDK's comparison throws. */
  #noticeRivals({ questions, authorities }: DnsMessage): void {
    for (const probe of this.#probes) {
      const name = hostName(probe.claim.host).toLowerCase();
      if (probe.isReady) continue;
      if (!questions.some((one) => one.type === RR.ANY && one.name.toLowerCase() === name)) continue;
      for (const { type, name: theirs, data } of authorities) {
        if (type !== RR.A || theirs.toLowerCase() !== name || !("address" in data)) continue;
        const address = this.#address();
        if (address === undefined) throw this.#native.coerced();
        probe.hasLost ||= isLower(address, data.address);
      }
    }
  }

  #answer(message: DnsMessage, address: string, port: number): void {
    for (const isUnicast of [false, true]) {
      const questions = message.questions.filter((one) => ((one.class & TOP_BIT) !== 0) === isUnicast);
      const answers = unique(questions.flatMap((question) => this.#answersTo(question, message)));
      if (answers.length === 0) continue;
      const response = { id: message.id, flags: ANSWER_FLAGS, answers };
      if (isUnicast) this.#send(response, address, port);
      else this.#send(response);
    }
  }

  #answersTo(question: DnsQuestion, { answers }: DnsMessage): DnsRecord[] {
    const name = question.name.toLowerCase();
    const records: DnsRecord[] = [];
    const host = this.#probes.find(
      ({ claim, isReady }) => isReady && hostName(claim.host).toLowerCase() === name,
    );
    if (host !== undefined && [RR.A, RR.ANY].includes(question.type as 1)) {
      records.push(...hostRecords(host.claim.host, this.#address()));
    }
    if (host !== undefined && question.type === RR.AAAA) records.push(onlyIp4(host.claim.host));
    for (const service of this.#services.keys()) {
      const all = this.#recordsOf(service);
      const isType = name === typeName(service.serviceType).toLowerCase();
      const instance = instanceName(service).toLowerCase();
      const isKnown = answers.some(
        ({ data }) => "target" in data && data.target.toLowerCase() === instance && !("port" in data),
      );
      if (question.type === RR.PTR && isType && !isKnown) records.push(...all);
      else if (question.type === RR.PTR && name === ALL_SERVICES) records.push(...all.slice(0, 1));
      else if (name === instance) records.push(...all.filter(({ type }) => type === question.type));
    }
    return records;
  }

  #recordsOf(service: Service, ttl?: number): DnsRecord[] {
    return serviceRecords(service, this.#address(), ttl);
  }

  /** What `Net.get("IP")` gives: with a station and an access point at once, `undefined`. */
  #address(): string | undefined {
    const { radio } = this.#machine;
    if (radio.mode === 1) return radio.stationAddress;
    return radio.mode === 2 ? SOFT_AP_ADDRESS : undefined;
  }

  #collect(records: readonly DnsRecord[]): void {
    for (const [monitor, { instances }] of this.#monitors) {
      const changed = new Set<Instance>();
      for (const record of records) {
        for (const instance of learn(instances, typeName(monitor.serviceType), record)) changed.add(instance);
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

function isLower(a: string, b: string): boolean {
  const [left, right] = [a, b].map((address) => address.split(".").map(Number)) as [number[], number[]];
  const at = left.findIndex((part, index) => part !== right[index]);
  return at >= 0 && (left[at] as number) < (right[at] as number);
}

function unique(records: readonly DnsRecord[]): DnsRecord[] {
  const seen = new Map(records.map((record) => [JSON.stringify(record), record]));
  return [...seen.values()];
}
