#!/usr/bin/env node
import { enableCompileCache } from "node:module";

// Halves the time from the second start on; where nothing can be written it does nothing.
enableCompileCache();
const { runCli } = await import("./program.ts");

// Whatever still holds the process (a driver's timer) must not hold up a supervisor.
process.exit(await runCli(process.argv.slice(2), process.env));
