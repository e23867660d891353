#!/usr/bin/env node
// The `skyslot` command. It registers the TypeScript loader and hands over to the commands themselves.
import { register } from "tsx/esm/api";

register();
await import("../server/cli/main.ts");
