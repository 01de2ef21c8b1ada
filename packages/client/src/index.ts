export { CherryClient } from "./client.ts";
export type {
  CallOptions,
  CherryClientOptions,
  PutOptions,
  ReadOptions,
  WriteOptions,
} from "./client.ts";
export { CherryError } from "./cherry-error.ts";
export type { CherryErrorOptions, ClientErrorCode } from "./cherry-error.ts";
export type { TokenSource, TransportOptions } from "./transport.ts";
export type * from "./contract.ts";
