// What `skyslot push --list` makes of answers by multicast DNS, of devices of ours and of others.

import { expect } from "chai";
import {
  CLASS_IN,
  type DnsRecord,
  decodeDns,
  dnsMessage,
  encodeDns,
  FLAG_RESPONSE,
  RR,
} from "../../../host-sim/network/dns-packet.js";
import { ServiceAnswers } from "../../../server/cli/service-answers.js";

const record = (name: string, type: number, data: DnsRecord["data"], ttl = 120): DnsRecord => ({
  name,
  type,
  class: CLASS_IN,
  ttl,
  data,
});
const pointer = (name: string, ttl?: number) =>
  record("_ota._tcp.local", RR.PTR, { target: `${name}._ota._tcp.local` }, ttl);
const place = (name: string, target: string, port = 3232) =>
  record(`${name}._ota._tcp.local`, RR.SRV, { target, port, priority: 0, weight: 0 });
const text = (name: string, ...strings: string[]) => record(`${name}._ota._tcp.local`, RR.TXT, { strings });
const host = (name: string, address: string) => record(name, RR.A, { address });

describe("answers by multicast DNS", () => {
  let answers: ServiceAnswers;
  beforeEach(() => {
    answers = new ServiceAnswers("_ota._tcp");
  });
  const hear = (list: DnsRecord[], flags = FLAG_RESPONSE) =>
    answers.take(decodeDns(encodeDns(dnsMessage({ flags, answers: list })))!);
  const asked = () => answers.questions.map(({ name, type }) => `${type} ${name}`);

  it("name a device with its address, port and text", () => {
    hear([
      pointer("base-1"),
      text("base-1", "version=1.2.0", "type=base", "flag"),
      place("base-1", "base-1.local"),
      host("BASE-1.local", "10.0.0.7"),
    ]);
    expect(answers.found.map((one) => ({ ...one, text: Object.fromEntries(one.text) }))).deep.equal([
      {
        name: "base-1",
        host: "base-1.local",
        address: "10.0.0.7",
        port: 3232,
        text: { version: "1.2.0", type: "base", flag: "" },
      },
    ]);
    expect(asked(), "others may answer yet").deep.equal(["12 _ota._tcp.local"]);
  });

  it("that come one by one are asked for", () => {
    hear([pointer("b")]);
    hear([pointer("a.b c")]);
    expect(answers.found).deep.equal([]);
    expect(asked()).include.members(["33 a.b c._ota._tcp.local", "16 a.b c._ota._tcp.local"]);
    hear([place("b", "host.local", 8266)]);
    expect(asked()).include("1 host.local");
    hear([host("host.local", "10.0.0.8")]);
    expect(answers.found).length(1);
    expect(answers.found[0]).include({ name: "b", address: "10.0.0.8", port: 8266 });
  });

  it("withdraw a device with a lifetime of 0", () => {
    hear([pointer("a"), place("a", "a.local"), host("a.local", "10.0.0.7")]);
    expect(answers.found).length(1);
    hear([pointer("a", 0)]);
    expect(answers.found).length(0);
  });

  it("about something else, and questions, say nothing", () => {
    hear([record("_http._tcp.local", RR.PTR, { target: "x._http._tcp.local" })]);
    hear([record("_ota._tcp.local", RR.PTR, { target: "elsewhere.example" })]);
    hear([host("a.local", "10.0.0.66"), place("a", "a.local")]);
    hear([pointer("q"), place("q", "q.local"), host("q.local", "10.0.0.7")], 0);
    expect(answers.found).deep.equal([]);
    expect(asked()).deep.equal(["12 _ota._tcp.local"]);
  });

  it("are remembered for 500 names at most", () => {
    for (let count = 0; count < 600; count++) hear([pointer(`device-${count}`)]);
    expect(answers.questions).length(1 + 2 * 500);
  });
});
