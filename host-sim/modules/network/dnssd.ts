/** `embedded:network/dnssd`: claim, advertise and discover. All objects of a boot share one responder, as in the SDK. */

import type { Machine } from "../../machine/machine.js";
import type { Callback, Dictionary, Native } from "../native.js";
import type { Instance } from "./mdns-instances.js";
import type { Service } from "./mdns-records.js";
import { type Claim, MdnsResponder, type Monitor } from "./mdns-responder.js";

interface Closable {
  close(): void;
}

export function createDnssd(machine: Machine, native: Native): { DNSSD: object } {
  let responder: MdnsResponder | undefined;
  let userCount = 0;

  function shared(): MdnsResponder {
    if (responder === undefined) throw native.coerced();
    return responder;
  }

  class DNSSD {
    #open = new Set<Closable>();

    constructor(options: Dictionary) {
      responder ??= new MdnsResponder(machine, native, options);
      userCount += 1;
    }

    close(): void {
      for (const one of [...this.#open]) one.close();
      userCount -= 1;
      if (userCount > 0) return;
      responder?.close();
      responder = undefined;
    }

    claim(options: Dictionary): Closable {
      const claim: Claim = {
        host: native.text(options.host),
        onReady: () => (options.onReady as Callback | undefined)?.call(undefined),
        onError: () => (options.onError as Callback | undefined)?.call(undefined),
      };
      shared().claim(claim);
      return this.#keep(() => shared().unclaim(claim));
    }

    advertise(options: Dictionary): Closable {
      const serviceType = native.text(options.serviceType);
      if (!serviceType.includes("._")) throw native.error("invalid serviceType");
      const service: Service = {
        serviceType,
        host: native.text(options.host),
        name: native.text(options.name ?? options.host),
        port: Number(options.port),
        txt: textOf(options.txt),
      };
      shared().advertise(service);
      const updateTXT = (txt: unknown): void => {
        service.txt = textOf(txt);
        shared().updateText(service);
      };
      const advertised = this.#keep(() => shared().withdraw(service));
      return Object.assign(advertised, { updateTXT: native.adopt(updateTXT) });
    }

    discover(options: Dictionary): Closable {
      const monitor: Monitor = {
        serviceType: native.text(options.serviceType),
        onInstance: (instance) => {
          const name = instance.isFound ? "onUpdate" : "onFound";
          instance.isFound = true;
          (options[name] as Callback | undefined)?.call(
            undefined,
            native.object(describe(machine, instance)),
          );
        },
      };
      shared().monitor(monitor);
      return this.#keep(() => shared().forget(monitor));
    }

    #keep(end: () => void): Closable {
      const one: Closable = native.object({
        close: () => {
          if (this.#open.delete(one)) end();
        },
      });
      this.#open.add(one);
      return native.adopt(one);
    }
  }

  return { DNSSD };
}

/** The SDK takes texts as an array of "key=value" or as a Map. */
function textOf(txt: unknown): readonly string[] {
  if (txt === undefined || txt === null) return [];
  return Array.from(txt as Iterable<unknown>, (one) => {
    if (!Array.isArray(one)) return String(one);
    return one[1] === undefined ? String(one[0]) : `${one[0]}=${one[1]}`;
  });
}

function describe(machine: Machine, { name, host, address, port, txt }: Instance): object {
  if (!txt?.length) return { name, host, address, port };
  const map = new machine.realm.Map<string, string | undefined>();
  for (const text of txt) {
    const equals = text.indexOf("=");
    if (equals < 0) map.set(text, undefined);
    else map.set(text.slice(0, equals), text.slice(equals + 1));
  }
  return { name, host, address, port, txt: map };
}
