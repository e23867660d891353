// Port 3232: images that are pushed, by HTTP over TCP and by espota's invitation over UDP. It hands heads and bodies on as core asks for
// them: what nobody has asked for waits in the TCP window. It decides nothing about who may push.

import UDP, { type Packet } from "embedded:io/socket/udp";
import { utf8Decode } from "../core/bytes.js";
import type { HttpResponse } from "../core/effect.js";
import { headStatus } from "../core/http.js";
import { refusal } from "../core/push.js";
import { createHttpServer } from "./http-server.js";
import type { Dispatch } from "./runner.js";
import { TcpStream } from "./tcp-stream.js";

const PORT = 3232;
const MAX_CONNECTIONS = 3;
const HEAD_MS = 30_000;
const MAX_DATAGRAM_BYTES = 256;

export function createPushServer(dispatch: Dispatch) {
  /** Connections that the device opened at an invitation of espota, by core's number. */
  const invited = new Map<number, TcpStream>();
  let invitations: UDP | undefined;

  const pushed = (connection: number, bytes: Uint8Array) => dispatch({ type: "pushData", connection, bytes });

  const pushes = createHttpServer({
    port: PORT,
    maxConnections: MAX_CONNECTIONS,
    takesRelease: true,
    requestMs: HEAD_MS,
    timesBody: false, // core watches over it
    refuse: ({ code, message }) => refusal(headStatus(code), message),
    onHead: ({ number: connection }, head) => dispatch({ type: "pushRequested", connection, head }),
    onBody: ({ number: connection }, count) => dispatch({ type: "pushReadable", connection, count }),
    onClosed({ number: connection }, isAwaited) {
      if (isAwaited) dispatch({ type: "pushClosed", connection });
    },
  });

  const connect = (connection: number, address: string, port: number) => {
    const stream = new TcpStream(
      { address, port },
      {
        readable: () => dispatch({ type: "pushReadable", connection, count: stream.availableBytes }),
        ended: () => stream.close(),
        closed() {
          if (invited.delete(connection)) dispatch({ type: "pushClosed", connection });
        },
      },
    );
    if (stream.isOpen) invited.set(connection, stream);
    else dispatch({ type: "pushClosed", connection });
  };
  const answerInvited = (connection: number, { body }: HttpResponse) => {
    const stream = invited.get(connection);
    invited.delete(connection);
    stream?.write(body); // espota has no heads
    stream?.finish(true);
  };
  const takeDatagram = (packet: Packet | undefined) => {
    if (!packet || packet.byteLength > MAX_DATAGRAM_BYTES) return;
    const text = utf8Decode(new Uint8Array(packet)) ?? "";
    dispatch({ type: "datagramReceived", address: packet.address, port: packet.port, text });
  };

  return {
    connect,
    start(espota: boolean) {
      pushes.open();
      if (!espota) {
        invitations?.close();
        invitations = undefined;
        return;
      }
      invitations ??= new UDP({
        port: PORT,
        onReadable(count) {
          for (let i = 0; i < count; i++) takeDatagram(this.read());
        },
      });
    },
    letBodyCome: (connection: number) => pushes.get(connection)?.takeBody(),
    read(connection: number, maxBytes: number) {
      const take = (bytes: Uint8Array) => pushed(connection, bytes);
      pushes.get(connection)?.read(maxBytes, take);
      const bytes = invited.get(connection)?.read(maxBytes);
      if (bytes && bytes.length > 0) take(bytes);
    },
    answer(connection: number, response: HttpResponse) {
      pushes.get(connection)?.respond(response);
      answerInvited(connection, response);
    },
    acknowledge: (connection: number, count: number) => invited.get(connection)?.write(`${count}`),
    sendDatagram(address: string, port: number, text: string) {
      try {
        invitations?.write(ArrayBuffer.fromString(text), address, port);
      } catch {
        // lost like any other datagram: the sender asks again
      }
    },
  };
}
