import type { Fault } from "./fault.ts";
import { DATABASE_FAULTS } from "./database-faults.ts";
import { REDIS_FAULTS } from "./redis-faults.ts";
import { SERVER_FAULTS } from "./server-faults.ts";

export const FAULTS: readonly Fault[] = [...SERVER_FAULTS, ...DATABASE_FAULTS, ...REDIS_FAULTS];
