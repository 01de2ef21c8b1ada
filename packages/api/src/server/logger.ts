import { destination, pino } from "pino";
import type { Logger } from "pino";
import type { LogLevel } from "../config/api-config.ts";

/** JSON lines on stdout. Values, tokens and bodies are never given to it. */
export function createLogger(level: LogLevel): Logger {
  const stdout = destination({ fd: 1, sync: true });
  // Whoever read our output may be gone before us; that must not end the drain.
  stdout.on("error", () => {});
  return pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime }, stdout);
}
