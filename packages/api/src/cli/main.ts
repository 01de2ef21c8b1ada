#!/usr/bin/env node
import { runCli } from "./program.ts";

// Whatever still holds the process (a driver's timer) must not hold up a supervisor.
process.exit(await runCli(process.argv.slice(2), process.env));
