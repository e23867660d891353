// Threads do not inherit the TypeScript loader in every Node: this registers it and hands over to the worker itself.
import { workerData } from "node:worker_threads";
import { register } from "tsx/esm/api";

register();
await import(workerData.module);
