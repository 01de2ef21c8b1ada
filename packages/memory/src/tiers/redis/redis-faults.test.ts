import { expect, test } from "vitest";
import { isUnanswered, redisFault, unanswered, unavailable } from "./redis-faults.ts";

test.each([
  ["Command timed out", "timeout", true],
  ["connect ECONNREFUSED 127.0.0.1:1", "unreachable", true],
  ["Connection is closed.", "unreachable", true],
  ["Stream isn't writeable and enableOfflineQueue options is false", "unreachable", true],
  ["Reached the max retries per request limit (which is 0).", "unreachable", true],
  ["LOADING Redis is loading the dataset in memory", "loading", true],
  ["MASTERDOWN Link with MASTER is down", "masterdown", true],
  ["CLUSTERDOWN Hash slot not served", "clusterdown", true],
  ["BUSY Redis is busy running a script.", "busy", true],
  ["READONLY You can't write against a read only replica.", "readonly", false],
  [
    "ERR Error running script (call to f_1): @user_script:4: -READONLY You can't write against a read only replica.",
    "readonly",
    false,
  ],
  ["OOM command not allowed when used memory > 'maxmemory'.", "oom", false],
  ["MISCONF Redis is configured to save RDB snapshots", "misconf", false],
  ["NOREPLICAS Not enough good replicas to write.", "noreplicas", false],
  ["NOAUTH Authentication required.", "noauth", false],
  ["WRONGPASS invalid username-password pair or user is disabled.", "wrongpass", false],
  ["ERR invalid password", "wrongpass", false],
  ["NOPERM this user has no permissions to run the 'eval' command", "noperm", false],
  ["MOVED 866 127.0.0.1:7001", "moved", false],
  ["ERR This instance has cluster support disabled", "refused", false],
  ["self-signed certificate in certificate chain", "tls", false],
  ["Hostname/IP does not match certificate's altnames", "tls", false],
  ['Unknown RESP type 72 "H". Please report this.', "refused", false],
  ["ERR something new", "refused", false],
])("%s", (message, kind, away) => {
  expect(redisFault(new Error(message))).toMatchObject({ kind, away });
});

test("what a wrapped error is about is told", () => {
  const inner = new Error("connect ECONNREFUSED 127.0.0.1:1");
  expect(redisFault(new AggregateError([inner], "")).reason).toContain("ECONNREFUSED");
  const cluster = Object.assign(new Error("Failed to refresh slots cache."), {
    lastNodeError: new Error("WRONGPASS invalid username-password pair"),
  });
  expect(redisFault(cluster).kind).toBe("wrongpass");
});

test("the error says where, what is wrong and that it may be tried again", () => {
  const error = unavailable("cache:6379", redisFault(new Error("LOADING")));
  expect(error).toMatchObject({ code: "STORE_UNAVAILABLE", retryable: true });
  expect(error.message).toMatch(/cache:6379.*still loading its data; retry later/);
});

function reply(message: string): Error {
  return Object.defineProperty(new Error(message), "name", { value: "ReplyError" });
}

test.each([
  new Error("Command timed out"),
  new Error("Connection is closed."),
  new Error("Command aborted due to connection close"),
  new Error("Reached the max retries per request limit (which is 0)."),
  new Error("Socket timeout. Expecting data, but didn't receive any in 2000ms."),
  new Error("read ECONNRESET"),
  new Error("Too many Cluster redirections. Last error: Error: Connection is closed."),
  new Error("Protocol error"),
  new Error("something new"),
  "no error at all",
])("after %s a command may have been carried out", (error) => {
  expect(isUnanswered(error)).toBe(true);
});

test.each([
  new Error("Stream isn't writeable and enableOfflineQueue options is false"),
  new Error("Cluster isn't ready and enableOfflineQueue options is false"),
  new Error("Too many Cluster redirections. Last error: ReplyError: MOVED 1 127.0.0.1:7001"),
  new Error(
    "Too many Cluster redirections. Last error: ReplyError: CLUSTERDOWN The cluster is down",
  ),
  reply("OOM command not allowed when used memory > 'maxmemory'."),
  reply("READONLY You can't write against a read only replica."),
  reply("ERR Error running script (call to f_1): @user_script:4: -READONLY You can't write"),
])("after %s it was surely not carried out", (error) => {
  expect(isUnanswered(error)).toBe(false);
});

test("the error says that nobody knows, and what to do", () => {
  const error = unanswered("cache:6379", redisFault(new Error("Command timed out")));
  expect(error).toMatchObject({ code: "OUTCOME_UNKNOWN", retryable: false });
  expect(error.message).toMatch(/cache:6379.*did not answer in time.*read the item/);
});
