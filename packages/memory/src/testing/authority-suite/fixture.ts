import assert from "node:assert/strict";
import { systemClock } from "../../model/clock.ts";
import type { ItemRecord, ItemRef, JsonObject } from "../../model/item.ts";
import type {
  AuthorityTier,
  Change,
  Condition,
  PutOperation,
  RemoveOperation,
  SearchRequest,
  SearchResult,
  Selection,
  TouchOperation,
  WriteResult,
} from "../../tiers/authority.ts";
import type { SuiteCase } from "../suite.ts";

/** Gives an initialized authority; it may be the same for all cases. `close` ends what was made. */
export interface AuthorityMaker {
  readonly open: () => Promise<{
    readonly authority: AuthorityTier;
    readonly close: () => Promise<void>;
  }>;
}

export interface PutFacts {
  readonly body?: Uint8Array;
  readonly metadata?: JsonObject;
  readonly tags?: readonly string[];
  readonly ttlSeconds?: number;
  readonly expiresAtMs?: number;
  readonly condition?: Condition;
  readonly namespace?: string;
}

export type Written = Extract<WriteResult, { status: "written" }>;

/** Reads of the log before a case gives up waiting for a change. */
const LOG_READS_MAX = 1_000;

let casesOpened = 0;

/** One case's view of the authority: a namespace of its own, and short ways to say things. */
export class AuthorityFixture {
  readonly authority: AuthorityTier;
  /** Used by no other case, so that cases may share one database. */
  readonly namespace: string;

  constructor(authority: AuthorityTier) {
    casesOpened += 1;
    this.authority = authority;
    // The process id, so that two runs over one database do not meet.
    this.namespace = `suite-${process.pid}-${casesOpened}`;
  }

  ref(key: string, namespace: string = this.namespace): ItemRef {
    return { namespace, key };
  }

  putOperation(key: string, facts: PutFacts = {}): PutOperation {
    return {
      kind: "put",
      namespace: facts.namespace ?? this.namespace,
      key,
      body: facts.body ?? bytes(`body of ${key}`),
      metadata: facts.metadata ?? {},
      tags: facts.tags ?? [],
      ttlSeconds: facts.ttlSeconds,
      ...(facts.expiresAtMs === undefined ? {} : { expiresAtMs: facts.expiresAtMs }),
      ...(facts.condition === undefined ? {} : { condition: facts.condition }),
    };
  }

  removeOperation(key: string, condition?: Condition): RemoveOperation {
    return { kind: "remove", ...this.ref(key), ...(condition === undefined ? {} : { condition }) };
  }

  touchOperation(key: string, ttlSeconds?: number, condition?: Condition): TouchOperation {
    const operation = { kind: "touch", ...this.ref(key), ttlSeconds } as const;
    return condition === undefined ? operation : { ...operation, condition };
  }

  async put(key: string, facts: PutFacts = {}): Promise<Written> {
    return expectWritten(await this.one(this.putOperation(key, facts)));
  }

  async one(operation: PutOperation | RemoveOperation | TouchOperation): Promise<WriteResult> {
    return first(await this.authority.write([operation]));
  }

  async get(key: string, namespace: string = this.namespace): Promise<ItemRecord | undefined> {
    const [record] = await this.authority.getMany([this.ref(key, namespace)]);
    return record;
  }

  search(request: Partial<SearchRequest> = {}): Promise<SearchResult> {
    return this.authority.search({
      namespace: this.namespace,
      below: false,
      pattern: undefined,
      metadataFilter: undefined,
      tags: [],
      limit: 1000,
      cursor: undefined,
      explain: false,
      ...request,
    });
  }

  async keys(request: Partial<SearchRequest> = {}): Promise<string[]> {
    return (await this.search(request)).records.map((record) => record.key);
  }

  /** Waits by the database's own clock until the item has expired. */
  async waitUntilGone(key: string): Promise<void> {
    for (let tries = 0; tries < 1_000; tries += 1) {
      if ((await this.get(key)) === undefined) return;
      await systemClock.sleep(1);
    }
    assert.fail(`${key} did not expire`);
  }

  /**
   * The case's part of the log from a position on, once it has `count` changes. One read may bring
   * fewer although all were acknowledged: whoever else writes to this database holds back what is
   * settled, and a read looks at a bounded stretch of a log that cases share.
   */
  async changesFrom(
    after: number,
    count: number,
    selection: Partial<Selection> = {},
  ): Promise<readonly Change[]> {
    const { namespace, below } = this.selection(selection);
    const changes: Change[] = [];
    let position = after;
    for (let reads = 0; changes.length < count && reads < LOG_READS_MAX; reads += 1) {
      const page = await this.authority.readChanges({
        namespace,
        below,
        after: position,
        limit: 1000,
      });
      changes.push(...page.changes);
      if (page.position === position) await systemClock.sleep(1);
      ({ position } = page);
    }
    return changes;
  }

  selection(selection: Partial<Selection> = {}): Selection {
    return { namespace: this.namespace, below: false, ...selection };
  }
}

export function authorityCase(
  maker: AuthorityMaker,
  name: string,
  body: (fixture: AuthorityFixture) => Promise<void>,
): SuiteCase {
  return {
    name,
    run: async () => {
      const { authority, close } = await maker.open();
      try {
        await body(new AuthorityFixture(authority));
      } finally {
        await close();
      }
    },
  };
}

export function bytes(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text));
}

export function first<T>(list: readonly T[]): T {
  const [only] = list;
  if (only === undefined) assert.fail("expected at least one result");
  return only;
}

export function expectWritten(result: WriteResult): Written {
  if (result.status !== "written") assert.fail(`expected "written", got ${JSON.stringify(result)}`);
  return result;
}

/** Bodies compare by content, whatever class of byte array a driver gives. */
export function sameBody(record: ItemRecord | undefined, expected: Uint8Array): void {
  assert.ok(record !== undefined, "expected an item, found none");
  assert.deepEqual(Uint8Array.from(record.body), expected);
}
