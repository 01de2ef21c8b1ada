import { MemoryError } from "../../model/errors.ts";
import type { JsonObject } from "../../model/item.ts";
import type { Row } from "./database.ts";

/** Readers of a row's columns. What is not of the promised type is our mistake, not the caller's. */

export function numberIn(row: Row, column: string): number {
  const value = row[column];
  return typeof value === "number" ? value : wrong(column, "a number", value);
}

export function optionalNumberIn(row: Row, column: string): number | undefined {
  const value = row[column];
  return value === null || value === undefined ? undefined : numberIn(row, column);
}

export function textIn(row: Row, column: string): string {
  const value = row[column];
  return typeof value === "string" ? value : wrong(column, "text", value);
}

export function optionalTextIn(row: Row, column: string): string | undefined {
  const value = row[column];
  return value === null || value === undefined ? undefined : textIn(row, column);
}

export function booleanIn(row: Row, column: string): boolean {
  const value = row[column];
  return typeof value === "boolean" ? value : wrong(column, "a boolean", value);
}

export function bytesIn(row: Row, column: string): Uint8Array {
  const value = row[column];
  return value instanceof Uint8Array ? value : wrong(column, "bytes", value);
}

export function textsIn(row: Row, column: string): readonly string[] {
  const value = row[column];
  const isTexts = Array.isArray(value) && value.every((element) => typeof element === "string");
  return isTexts ? (value as readonly string[]) : wrong(column, "an array of text", value);
}

/** An array whose elements the caller checks. */
export function optionalListIn(row: Row, column: string): readonly unknown[] | undefined {
  const value = row[column];
  if (value === null || value === undefined) return undefined;
  return Array.isArray(value) ? value : wrong(column, "an array", value);
}

/** A jsonb object. */
export function jsonObjectIn(row: Row, column: string): JsonObject {
  const value = row[column];
  if (typeof value === "object" && value !== null && !Array.isArray(value))
    return value as JsonObject;
  return wrong(column, "a JSON object", value);
}

/** The one row of a statement that always gives one. */
export function onlyRow(rows: readonly Row[]): Row {
  const [row] = rows;
  return row ?? wrong("(all)", "one row", undefined);
}

/**
 * Milliseconds since the epoch, whole microseconds as the database keeps them: a product of floating
 * point numbers is off in the last digits.
 */
export function exactMs(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}

/** The latest that a Date can show; PostgreSQL knows later ones, and infinite ones. */
const TIME_MS_MAX = 8.64e15;

/** A time in milliseconds since the epoch. */
export function timeIn(row: Row, column: string): number {
  const ms = numberIn(row, column);
  return Math.abs(ms) <= TIME_MS_MAX ? exactMs(ms) : wrong(column, "a time of a calendar", ms);
}

/** Embedded storage tells the time in whole milliseconds, rounded down. */
const CLOCK_GRAIN_MS = 1;

/**
 * When to stop serving what lives `remainingMs` more by the database's clock, on the monotonic clock
 * that showed `sentAtMs` before the question was sent. It may only be early: a copy must never
 * outlive the item.
 */
export function deadlineOf(sentAtMs: number, remainingMs: number | undefined): number {
  if (remainingMs === undefined) return Number.POSITIVE_INFINITY;
  return sentAtMs + remainingMs - CLOCK_GRAIN_MS;
}

function wrong(column: string, expected: string, value: unknown): never {
  const given = value === null || typeof value === "number" ? String(value) : typeof value;
  throw new MemoryError(
    "INTERNAL",
    `the database gave ${given} in column ${column}, expected ${expected}`,
  );
}
