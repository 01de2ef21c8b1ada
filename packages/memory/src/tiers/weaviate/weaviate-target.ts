import { MemoryError } from "../../model/errors.ts";

/** One server of a Weaviate: it is spoken to over HTTP and, for data, over gRPC. */
export interface WeaviateNode {
  readonly httpHost: string;
  readonly httpPort: number;
  readonly httpPath: string;
  readonly httpSecure: boolean;
  readonly grpcHost: string;
  readonly grpcPort: number;
  readonly grpcSecure: boolean;
}

const PLAIN_PORT = 80;
const SECURE_PORT = 443;
const GRPC_PORT = 50_051;
/** Weaviate's own cloud has gRPC on a host of its own. */
const CLOUD_HOST = /\.weaviate\.(cloud|network)$/;

/**
 * Any number of servers, separated by commas: `http://db1:8080,http://db2:8080`. Those of gRPC stand in
 * the same order; without them gRPC is looked for on the same hosts, port 50051. `https` means TLS.
 */
export function parseWeaviateTarget(
  url: string,
  grpcUrl: string | undefined,
): readonly WeaviateNode[] {
  const https = parseAll(url, "WEAVIATE_URL");
  const grpcs = grpcUrl === undefined ? https.map(defaultGrpc) : parseGrpc(grpcUrl, https.length);
  return https.map((http, place): WeaviateNode => {
    const grpc = grpcs[place] ?? defaultGrpc(http);
    return {
      httpHost: http.hostname,
      httpPort: portOf(http),
      httpPath: http.pathname.replace(/\/$/, ""),
      httpSecure: isSecure(http),
      grpcHost: grpc.hostname,
      grpcPort: portOf(grpc),
      grpcSecure: isSecure(grpc),
    };
  });
}

/** Shown to people. */
export function describeNode({ httpHost, httpPort }: WeaviateNode): string {
  return `${httpHost}:${httpPort}`;
}

function parseGrpc(text: string, count: number): URL[] {
  const urls = parseAll(text, "WEAVIATE_GRPC_URL");
  if (urls.length === count) return urls;
  throw new MemoryError(
    "INVALID_CONFIG",
    `WEAVIATE_GRPC_URL names ${urls.length} servers and WEAVIATE_URL ${count}; name the same ones in the same order`,
    { field: "WEAVIATE_GRPC_URL" },
  );
}

function parseAll(text: string, field: string): URL[] {
  const parts = text.split(/[\s,]+/).filter((part) => part !== "");
  const urls = parts.map((part) => (URL.canParse(part) ? new URL(part) : undefined));
  const sound = urls.filter((url) => url !== undefined && /^https?:$/.test(url.protocol));
  if (sound.length === parts.length && parts.length > 0)
    return sound.filter((url) => url !== undefined);
  throw new MemoryError(
    "INVALID_CONFIG",
    `${field}: expected http://host:port, or https:// for TLS, several separated by commas`,
    { field },
  );
}

function defaultGrpc(http: URL): URL {
  const { protocol, hostname } = http;
  return CLOUD_HOST.test(hostname)
    ? new URL(`${protocol}//grpc-${hostname}`)
    : new URL(`${protocol}//${hostname}:${GRPC_PORT}`);
}

function isSecure({ protocol }: URL): boolean {
  return protocol === "https:";
}

function portOf(url: URL): number {
  if (url.port !== "") return Number(url.port);
  return isSecure(url) ? SECURE_PORT : PLAIN_PORT;
}
