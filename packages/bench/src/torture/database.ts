import { Client } from "pg";

/** One statement over a connection of its own. */
export async function query(url: string, sql: string): Promise<readonly object[]> {
  const client = new Client({ connectionString: url });
  client.on("error", () => {
    // The session was ended: the statement says so too.
  });
  await client.connect();
  try {
    const { rows } = await client.query<object>(sql);
    return rows;
  } finally {
    await client.end().catch(() => {
      // Ended already.
    });
  }
}
