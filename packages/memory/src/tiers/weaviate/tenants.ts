import { LRUCache } from "lru-cache";
import type { WeaviateClient } from "weaviate-client";
import { isWithin } from "../../model/key.ts";
import type { Collections } from "./collections.ts";
import { namespaceId, tenantOf } from "./entry-id.ts";
import type { BatchClient, WeaviateConnection } from "./weaviate-connection.ts";
import { unlessFault } from "./weaviate-faults.ts";

/** Weaviate refuses more in one request. */
const TENANTS_A_REQUEST = 100;
const PAGE_NAMESPACES = 500;
const KNOWN_MAX = 50_000;

export interface TenantsOptions {
  /** Tenants that this server keeps in Weaviate's memory; beyond it the longest unused are sent to disk. */
  readonly activeTenantsMax: number;
  /** Told of failures to send idle tenants away, which nobody awaits. */
  readonly onError: (error: unknown) => void;
}

/** A namespace in one index version. */
interface Tenancy {
  readonly index: number;
  readonly namespace: string;
}

/**
 * Namespaces as tenants. A tenant is made before the first entry, and the list of namespaces tells of it
 * before that. Those in use are in memory; Weaviate wakes an idle one by itself when it is asked, so that
 * several servers may each judge by what they use.
 */
export class Tenants {
  readonly #connection: WeaviateConnection;
  readonly #collections: Collections;
  readonly #options: TenantsOptions;
  /** What was made, as far as is remembered. */
  readonly #known = new LRUCache<string, true>({ max: KNOWN_MAX });
  /** In order of use, the longest unused first. */
  readonly #active = new Map<string, Tenancy>();
  #sendingAway: Promise<void> | undefined;

  constructor(connection: WeaviateConnection, collections: Collections, options: TenantsOptions) {
    this.#connection = connection;
    this.#collections = collections;
    this.#options = options;
  }

  /** Makes those that are missing. */
  async prepare(index: number, namespaces: readonly string[]): Promise<void> {
    const missing = namespaces.filter((one) => !this.#known.has(nameOf({ index, namespace: one })));
    for (let start = 0; start < missing.length; start += TENANTS_A_REQUEST) {
      const part = missing.slice(start, start + TENANTS_A_REQUEST);
      await this.#connection.run("set", async (client, batch) => {
        await this.#list(client, batch, part);
        const { tenants } = this.#collections.entriesOf(client, index);
        // Making one again does nothing.
        await tenants.create(part.map((namespace) => ({ name: tenantOf(namespace) })));
      });
      for (const namespace of part) this.#known.set(nameOf({ index, namespace }), true);
    }
  }

  /** It may be gone: next time it is made again. */
  forget(index: number, namespace: string): void {
    this.#known.delete(nameOf({ index, namespace }));
  }

  forgetIndex(index: number): void {
    for (const name of this.#known.keys())
      if (name.startsWith(`${index}/`)) this.#known.delete(name);
    for (const [name, tenancy] of this.#active)
      if (tenancy.index === index) this.#active.delete(name);
  }

  /** Notes a use, and sends the longest unused away where there are too many. */
  use(tenancy: Tenancy): void {
    const name = nameOf(tenancy);
    this.#active.delete(name);
    this.#active.set(name, tenancy);
    if (this.#active.size < this.#options.activeTenantsMax + TENANTS_A_REQUEST) return;
    this.#sendingAway ??= this.#sendAway()
      .catch(this.#options.onError)
      .finally(() => {
        this.#sendingAway = undefined;
      });
  }

  /** Resolves when no idle tenant is being sent away any more. */
  async settle(): Promise<void> {
    await this.#sendingAway;
  }

  /** Every namespace that has or had entries, and lies within; at most `limit`. */
  async within(
    scope: { readonly namespace: string; readonly below: boolean },
    limit: number,
  ): Promise<readonly string[]> {
    const { namespace, below } = scope;
    if (!below) return [namespace];
    const found: string[] = [];
    let after: string | undefined;
    do {
      const page = await this.page(after, PAGE_NAMESPACES);
      found.push(...page.namespaces.filter((one) => isWithin(one, namespace)));
      after = page.next;
    } while (after !== undefined && found.length < limit);
    return found.slice(0, limit);
  }

  /** In the order of their ids. */
  page(
    after: string | undefined,
    limit: number,
  ): Promise<{ readonly namespaces: readonly string[]; readonly next: string | undefined }> {
    return this.#connection.run("scan", async (client) => {
      const { query } = this.#collections.namespacesOf(client);
      const none = { objects: [] };
      const { objects } = await unlessFault(
        ["no collection"],
        query.fetchObjects({
          limit,
          ...(after === undefined ? {} : { after }),
          returnProperties: ["path"],
        }),
        () => none,
      );
      const namespaces = objects.map(({ properties }) => properties.path ?? "");
      return { namespaces, next: objects.length < limit ? undefined : objects.at(-1)?.uuid };
    });
  }

  async #list(
    client: WeaviateClient,
    batch: BatchClient,
    namespaces: readonly string[],
  ): Promise<void> {
    const { name } = this.#collections.namespacesOf(client);
    const objects = namespaces.map((path) => ({
      class: name,
      id: namespaceId(path),
      properties: { path },
    }));
    const answers = await batch
      .objectsBatcher()
      .withObjects(...objects)
      .do();
    const [failure] = answers.flatMap(({ result }) => result?.errors?.error ?? []);
    if (failure !== undefined) throw new Error(failure.message);
  }

  async #sendAway(): Promise<void> {
    const idle = [...this.#active.values()].slice(0, -this.#options.activeTenantsMax);
    for (const tenancy of idle) this.#active.delete(nameOf(tenancy));
    for (const index of new Set(idle.map((one) => one.index))) {
      const names = idle
        .filter((one) => one.index === index)
        .map(({ namespace }) => ({ name: tenantOf(namespace) }));
      for (let start = 0; start < names.length; start += TENANTS_A_REQUEST) {
        const part = names.slice(start, start + TENANTS_A_REQUEST);
        await this.#connection.run("set", async (client) => {
          const { tenants } = this.#collections.entriesOf(client, index);
          await unlessFault(
            ["no collection", "no tenant"],
            tenants.deactivate(part),
            () => undefined,
          );
        });
      }
    }
  }
}

function nameOf({ index, namespace }: Tenancy): string {
  return `${index}/${namespace}`;
}
