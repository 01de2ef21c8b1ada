/**
 * Versions of ephemeral items lie above all that the database gives out, so that the version of one
 * can never stand for a durable item of the same key. Microseconds since 1970 are added to it, so that
 * they rise over a restart too: below 2^53 until the year 2112.
 */
export const EPHEMERAL_VERSION_MIN: number = 2 ** 52;
