import { cpus, totalmem } from "node:os";

const BYTES_PER_GIB = 1024 ** 3;

/** What the figures were measured on, without names or paths: `2 × AMD EPYC, 24 GiB, linux x64`. */
export function describeMachine(): string {
  const processors = cpus();
  const model = (processors[0]?.model ?? "unknown processor").replaceAll(/\s+/g, " ").trim();
  const memory = Math.round(totalmem() / BYTES_PER_GIB);
  return `${processors.length} × ${model}, ${memory} GiB, ${process.platform} ${process.arch}`;
}
