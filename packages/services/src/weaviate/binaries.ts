import { existsSync } from "node:fs";
import { join } from "node:path";
import { opensslAvailable } from "../certificates.ts";
import { findProgram } from "../program.ts";
import { cachedTool, toolSetting } from "../tools-folder.ts";

const SETTING = "CHERRY_TEST_WEAVIATE";
const PROGRAM = "weaviate-server";

function cachedProgram(): string | undefined {
  const folder = cachedTool("weaviate");
  return folder === undefined ? undefined : join(folder, PROGRAM);
}

/** The server's program, or undefined. A setting that names nothing is not passed over. */
export function findWeaviate(): string | undefined {
  const program = toolSetting(SETTING) ?? cachedProgram() ?? findProgram(PROGRAM);
  return program !== undefined && existsSync(program) ? program : undefined;
}

/** undefined when `startWeaviate` and its like can work on this machine, otherwise why not. */
export function weaviateAvailable(): string | undefined {
  return findWeaviate() === undefined
    ? `no ${PROGRAM} in ${SETTING}, the cache or on PATH (.ci/tools/weaviate builds it)`
    : undefined;
}

/** undefined when `startWeaviate({ tls: true })` can work on this machine, otherwise why not. */
export function weaviateTlsAvailable(): string | undefined {
  return opensslAvailable() ?? weaviateAvailable();
}
