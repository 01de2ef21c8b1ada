import { globToRegexSource } from "../../../model/glob.ts";
import { parseFilter } from "../../../model/parse-filter.ts";
import type { FilterNode, MetadataFilter } from "../../../model/filter.ts";
import type { Limits } from "../../../model/limits.ts";
import { NOT_CLEARED, NOT_DEAD } from "../record-columns.ts";
import { filterSql, indexableSql } from "./filter-sql.ts";
import { keyRangeOf } from "./key-range.ts";
import type { KeyRange } from "./key-range.ts";
import type { SqlParameters } from "./sql-parameters.ts";

/** What an item must fulfil beside being in the namespace. */
export interface Criteria {
  readonly pattern: string | undefined;
  readonly filter: FilterNode | undefined;
  readonly tags: readonly string[];
  /** Not written since this version was drawn. */
  readonly versionMax?: number | undefined;
}

export const EVERYTHING: Criteria = Object.freeze({
  pattern: undefined,
  filter: undefined,
  tags: [],
});

export function criteriaOf(
  wanted: {
    readonly pattern?: string | undefined;
    readonly metadataFilter?: MetadataFilter | undefined;
    readonly tags?: readonly string[] | undefined;
  },
  limits: Limits,
): Criteria {
  const { pattern, metadataFilter, tags } = wanted;
  return {
    pattern,
    filter: metadataFilter === undefined ? undefined : parseFilter(metadataFilter, limits),
    tags: tags ?? [],
  };
}

export function keyRangeFor(criteria: Criteria): KeyRange | undefined {
  return criteria.pattern === undefined ? undefined : keyRangeOf(criteria.pattern).range;
}

/** The key range as conditions that the primary key can use. */
export function keyRangeSql(criteria: Criteria, parameters: SqlParameters): readonly string[] {
  const range = keyRangeFor(criteria);
  if (range === undefined) return [];
  const from = `i.key >= ${parameters.add(range.from, "text")}`;
  return range.to === undefined ? [from] : [from, `i.key < ${parameters.add(range.to, "text")}`];
}

/** What a GIN index can answer; empty when nothing. */
export function indexConditions(criteria: Criteria, parameters: SqlParameters): readonly string[] {
  const conditions: string[] = [];
  const metadata =
    criteria.filter === undefined ? undefined : indexableSql(criteria.filter, parameters);
  // The second part is the index's own condition: without it the planner may not use the index.
  if (metadata !== undefined) conditions.push(metadata, `i.metadata <> '{}'`);
  if (criteria.tags.length > 0)
    conditions.push(`i.tags @> ${parameters.add(criteria.tags, "text[]")}`, `i.tags <> '{}'`);
  return conditions;
}

/** Everything that makes a row a match, with names of what is checked. */
export function matchSql(
  criteria: Criteria,
  parameters: SqlParameters,
): { readonly sql: string; readonly names: readonly string[] } {
  const conditions = [NOT_DEAD, NOT_CLEARED];
  const names: string[] = [];
  if (criteria.versionMax !== undefined)
    conditions.push(`i.version <= ${parameters.add(criteria.versionMax, "int8")}`);
  if (criteria.pattern !== undefined && !keyRangeOf(criteria.pattern).decides) {
    const regex = parameters.add(globToRegexSource(criteria.pattern), "text");
    conditions.push(`i.key ~ ${regex}`);
    names.push("pattern");
  }
  if (criteria.filter !== undefined) {
    conditions.push(filterSql(criteria.filter, parameters));
    names.push("metadataFilter");
  }
  if (criteria.tags.length > 0) {
    conditions.push(`i.tags @> ${parameters.add(criteria.tags, "text[]")}`);
    names.push("tags");
  }
  return { sql: conditions.join(" AND "), names };
}
