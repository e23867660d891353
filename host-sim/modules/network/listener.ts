/** `embedded:io/socket/listener` over the virtual network: queues accepted connections until firmware reads them. */

import type { Machine } from "../../machine/machine.js";
import type { TcpListener } from "../../network/ip-node.js";
import type { TcpSocket } from "../../network/tcp-socket.js";
import { announceQueue, type Dictionary, type Native } from "../native.js";
import type { TcpModule } from "./tcp.js";

interface ListenerHandle {
  readonly listener: TcpListener;
  readonly pending: TcpSocket[];
}

export function createListener(machine: Machine, native: Native, tcp: TcpModule): { Listener: object } {
  const handles = new WeakMap<object, ListenerHandle | undefined>();

  function handleOf(object: object): ListenerHandle {
    const handle = handles.get(object);
    if (handle === undefined) throw native.invalidHandle(handles.has(object));
    return handle;
  }

  function open(object: object, dictionary: Dictionary): ListenerHandle {
    let port = 0;
    if ("port" in dictionary) {
      if (dictionary.port === undefined) throw native.error("invalid");
      port = native.integer(dictionary.port);
      if (port < 0 || port > 65535) throw native.rangeError("invalid port");
    }
    const onReadable = native.callback(dictionary, "onReadable");
    if (dictionary.format && dictionary.format !== "socket/tcp") throw native.rangeError("unimplemented");
    const pending: TcpSocket[] = [];
    const deliver = announceQueue(machine, object, pending, onReadable);
    const listener = machine.network.listen(port, (socket) => {
      pending.push(socket);
      deliver();
    });
    if (listener === undefined) throw native.rangeError("no memory");
    if ("target" in dictionary) (object as Dictionary).target = dictionary.target;
    return { listener, pending };
  }

  class Listener {
    constructor(...parameters: [unknown?]) {
      handles.set(this, undefined);
      if (!machine.network.hasInterface) throw native.error("no network");
      native.needArguments(parameters, 1);
      const [dictionary] = parameters;
      if (dictionary === undefined || dictionary === null) throw native.coerced();
      handles.set(this, open(this, dictionary as Dictionary));
    }

    close(): void {
      if (!handles.has(this)) throw native.invalidHandle(false);
      const handle = handles.get(this);
      handles.set(this, undefined);
      handle?.listener.close();
      for (const socket of handle?.pending.splice(0) ?? []) socket.close();
    }

    read(): unknown {
      const socket = handleOf(this).pending.shift();
      if (socket === undefined) return undefined;
      const accepted = new tcp.TCP();
      tcp.adopt(accepted, socket);
      return accepted;
    }

    get port(): number {
      return handleOf(this).listener.port;
    }

    get format(): string {
      return "socket/tcp";
    }

    set format(value: string) {
      if (value !== "socket/tcp") throw native.rangeError("");
    }
  }

  return { Listener };
}
