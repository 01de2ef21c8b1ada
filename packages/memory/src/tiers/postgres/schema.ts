/** Quotes an identifier for SQL text. */
export function quoteIdentifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** Replaces `{{schema}}` in SQL text by the quoted schema name. */
export function inSchema(text: string, schema: string): string {
  return text.replaceAll("{{schema}}", quoteIdentifier(schema));
}
