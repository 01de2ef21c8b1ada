import fc from "fast-check";
import { expect, test } from "vitest";
import { MemoryError } from "../../model/errors.ts";
import { describeTarget, parseRedisUrl } from "./redis-url.ts";

const NOTHING_ELSE = {
  tls: false,
  masterName: undefined,
  username: undefined,
  password: undefined,
  db: 0,
  options: {},
};

test.each([
  ["redis://cache", { mode: "single", nodes: [{ host: "cache", port: 6379 }] }],
  ["redis://cache:7/2", { mode: "single", db: 2, nodes: [{ host: "cache", port: 7 }] }],
  ["rediss://[::1]:7", { mode: "single", tls: true, nodes: [{ host: "::1", port: 7 }] }],
  [
    "redis://:p%40ss%3A@h",
    { mode: "single", password: "p@ss:", nodes: [{ host: "h", port: 6379 }] },
  ],
  [
    "redis://app:a:b@h/",
    { mode: "single", username: "app", password: "a:b", nodes: [{ host: "h", port: 6379 }] },
  ],
  [
    "rediss-cluster://app@a:1,b",
    {
      mode: "cluster",
      tls: true,
      username: "app",
      nodes: [
        { host: "a", port: 1 },
        { host: "b", port: 6379 },
      ],
    },
  ],
  [
    "redis-sentinel://a,b:1/my-master/3?sentinelPassword=x%20y",
    {
      mode: "sentinel",
      masterName: "my-master",
      db: 3,
      options: { sentinelPassword: "x y" },
      nodes: [
        { host: "a", port: 26_379 },
        { host: "b", port: 1 },
      ],
    },
  ],
  [
    "rediss://h?ca=/etc/ca.pem&servername=cache.internal",
    {
      mode: "single",
      tls: true,
      options: { ca: "/etc/ca.pem", servername: "cache.internal" },
      nodes: [{ host: "h", port: 6379 }],
    },
  ],
])("%s is read", (url, expected) => {
  expect(parseRedisUrl(url)).toEqual({ ...NOTHING_ELSE, ...expected });
});

test.each([
  ["http://h", /cannot be read/],
  ["redis//h", /cannot be read/],
  ["redis://", /no host/],
  ["redis://a,b", /several hosts/],
  ["redis://h:0", /port 0/],
  ["redis://h:70000", /port 70000/],
  ["redis://h h", /host that cannot be read/],
  ["redis://h/two", /database that is no number/],
  ["redis://h/1/2", /more after the hosts/],
  ["redis://u:%zz@h", /password .*percent/],
  ["redis-cluster://a/1", /database 0 only/],
  ["redis-sentinel://a", /no master/],
  ["redis://h?ssl=true", /unknown option "ssl"/],
])("%s is refused", (url, says) => {
  expect(() => parseRedisUrl(url)).toThrow(says);
  expect(() => parseRedisUrl(url)).toThrow(/expected redis:\/\//);
});

test("any user, password and hosts come back as they were put in", () => {
  const host = fc.constantFrom("cache", "10.0.0.1", "a-b.c", "::1");
  const node = fc.record({ host, port: fc.integer({ min: 1, max: 65_535 }) });
  const name = fc.string({ unit: "grapheme", minLength: 1 });
  fc.assert(
    fc.property(fc.array(node, { minLength: 1 }), name, name, (nodes, user, password) => {
      const hosts = nodes.map(({ host: h, port }) => `${h.includes(":") ? `[${h}]` : h}:${port}`);
      const who = `${encodeURIComponent(user)}:${encodeURIComponent(password)}`;
      const target = parseRedisUrl(`redis-cluster://${who}@${hosts.join(",")}`);
      expect(target).toMatchObject({ nodes, username: user, password });
      expect(describeTarget(target)).toBe(hosts.join(","));
    }),
  );
});

test("no error repeats a password, whatever else is wrong", () => {
  const wrong = fc.constantFrom(
    (who: string) => `redis://${who}@h:99999`,
    (who: string) => `redis://${who}@h/x`,
    (who: string) => `redis://${who}@`,
    (who: string) => `redis-sentinel://${who}@h`,
    (who: string) => `other://${who}@h`,
    (who: string) => `redis://${who}@h?x=1`,
  );
  fc.assert(
    fc.property(wrong, (url) => {
      let error: unknown;
      try {
        parseRedisUrl(url("app:hunter2"));
      } catch (thrown) {
        error = thrown;
      }
      expect(error).toBeInstanceOf(MemoryError);
      expect(error).toMatchObject({ code: "INVALID_CONFIG", field: "REDIS_URL" });
      expect(String(error)).not.toContain("hunter2");
    }),
  );
});
