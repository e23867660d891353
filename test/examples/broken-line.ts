// The way between a client and a server, on which connections break, bytes change, or a proxy answers instead of the server.

import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";

export class BrokenLine {
  readonly #server: Server;
  #url = "";
  readonly #sockets = new Set<Socket>();
  /** The heads of all requests, in order. */
  readonly heads: string[] = [];
  #breaks: { readonly path: string; readonly after: number[] } = { path: "", after: [] };
  #damaged: string | undefined;
  #answer: string | undefined;

  private constructor(to: number) {
    this.#server = createServer((client) => this.#carry(client, to));
  }

  static async open(to: { address(): unknown }): Promise<BrokenLine> {
    const line = new BrokenLine((to.address() as AddressInfo).port);
    await new Promise<void>((resolve) => line.#server.listen(0, "127.0.0.1", resolve));
    line.#url = `http://127.0.0.1:${(line.#server.address() as AddressInfo).port}`;
    return line;
  }

  get url(): string {
    return this.#url;
  }

  /** The answers to the next requests for this path end after so many bytes, one after the other. */
  breakAfter(path: string, byteCounts: readonly number[]): void {
    this.#breaks = { path, after: [...byteCounts] };
  }

  /** One bit of every answer to requests for this path is changed, far behind the head. */
  damage(path: string): void {
    this.#damaged = path;
  }

  /** What is answered from now on, without asking the server. */
  answer(status: number, headers: Readonly<Record<string, string>>): void {
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
    this.#answer = `HTTP/1.1 ${status} No\r\n${lines.join("")}content-length: 0\r\nconnection: close\r\n\r\n`;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    if (this.#server.listening) await new Promise((resolve) => this.#server.close(resolve));
  }

  /** One request a connection. */
  #carry(client: Socket, to: number): void {
    this.#keep(client);
    client.once("data", (first: Buffer) => {
      const head = first.toString("latin1");
      this.heads.push(head);
      if (this.#answer !== undefined) return void client.end(this.#answer);
      const target = head.split(" ")[1] ?? "";
      const server = connect(to, "127.0.0.1");
      this.#keep(server);
      server.write(first);
      client.pipe(server);
      const isBroken = this.#breaks.path !== "" && target.startsWith(this.#breaks.path);
      const limit = isBroken ? (this.#breaks.after.shift() ?? Infinity) : Infinity;
      const isDamaged = this.#damaged !== undefined && target.startsWith(this.#damaged);
      this.#carryBack(server, client, limit, isDamaged);
    });
  }

  #carryBack(server: Socket, client: Socket, limit: number, isDamaged: boolean): void {
    let carried = 0;
    server.on("data", (bytes: Buffer) => {
      const place = 5000 - carried;
      if (isDamaged && place >= 0 && place < bytes.length) bytes[place]! ^= 1;
      const part = bytes.subarray(0, Math.max(0, limit - carried));
      carried += bytes.length;
      client.write(part);
      if (carried >= limit) {
        client.end();
        server.destroy();
      }
    });
    server.on("end", () => client.end());
  }

  #keep(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on("error", () => socket.destroy()).once("close", () => this.#sockets.delete(socket));
  }
}
