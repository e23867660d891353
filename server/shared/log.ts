// Where a service writes what an operator of the server should know: as much of a logger (pino's, Fastify's) as services use.

type Write = (fields: object, message: string) => void;

export interface Log {
  readonly info: Write;
  readonly warn: Write;
  readonly error: Write;
}
