import type { OperationObject } from "../openapi/schema.ts";
import type { Call } from "./call.ts";

export type Method = "GET" | "PUT" | "PATCH" | "DELETE" | "POST";

/**
 * What a caller must prove. "open": nothing. "metrics": to sit on this machine, or to administer
 * everything. The others are scopes, each including the ones before it.
 */
export type Access = "open" | "metrics" | "reader" | "writer" | "admin";

/** One route. Whoever adds one says who may call it, and documents it. */
export interface Route {
  readonly method: Method;
  /** As OpenAPI writes it: `/v1/namespaces/{ns}/items/{key}`. */
  readonly path: string;
  readonly access: Access;
  readonly handle: (call: Call) => Promise<void> | void;
  readonly operation: OperationObject;
}

/** Whether the route acts in a namespace, which the caller's claims must then cover. */
export function isNamespaced(route: Route): boolean {
  return route.path.includes("{ns}");
}

/** The same path as express writes it. */
export function expressPath(path: string): string {
  return path.replaceAll(/\{(\w+)\}/g, ":$1");
}
