import { readFileSync } from "node:fs";
import { CherryClient } from "@cherry-ai/client";
import type { ExportLine, ImportReceipt } from "@cherry-ai/client";
import { UnifiedMemoryManager, loadConfig } from "@cherry-ai/memory";
import type { EnvironmentVariables } from "@cherry-ai/memory";
import { UsageError } from "./output.ts";

/** What export and import need of a memory, wherever it is. */
export interface Target {
  export(options: { readonly below: boolean }): AsyncIterable<ExportLine>;
  import(lines: AsyncIterable<unknown>): Promise<ImportReceipt>;
  close(): Promise<void>;
}

export interface TargetOptions {
  readonly ns: string;
  readonly url?: string;
  readonly token?: string;
  readonly tokenFile?: string;
}

function tokenOf({ token, tokenFile }: TargetOptions): string | undefined {
  if (tokenFile === undefined) return token;
  if (token !== undefined) throw new UsageError("--token, --token-file: expected one of them");
  return readFileSync(tokenFile, "utf8").trim();
}

/** A server when there is a URL, else the storage that the settings name. */
export async function openTarget(
  options: TargetOptions,
  env: EnvironmentVariables,
): Promise<Target> {
  const { ns, url } = options;
  const namespace = ns === "/" ? "" : ns;
  if (url !== undefined) return remoteTarget(url, namespace, tokenOf(options));
  const config = loadConfig(env);
  const manager = new UnifiedMemoryManager({
    ...config,
    optimization: { ...config.optimization, enabled: false },
  });
  await manager.initialize();
  const memory = namespace === "" ? manager : manager.namespace(namespace);
  return {
    export: (each) => memory.exportItems(each),
    import: (lines) => memory.importItems(lines),
    close: () => manager.close(),
  };
}

function remoteTarget(url: string, namespace: string, token: string | undefined): Target {
  const client = new CherryClient({
    baseUrl: url,
    namespace,
    ...(token === undefined ? {} : { token }),
  });
  return {
    export: (each) => client.export(each),
    // A line that is no JSON goes out as it is: the server reports it by its number.
    import: (lines) => client.import(texts(lines)),
    close: () => Promise.resolve(),
  };
}

async function* texts(lines: AsyncIterable<unknown>): AsyncGenerator<string> {
  for await (const line of lines) yield line instanceof Error ? "" : JSON.stringify(line);
}
