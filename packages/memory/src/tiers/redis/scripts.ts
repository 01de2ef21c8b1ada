import { createHash } from "node:crypto";
import { EPHEMERAL_SCRIPTS } from "./scripts-ephemeral.ts";
import { SCRIPT_PRELUDE } from "./scripts-prelude.ts";

/** What runs in Redis in one step. It is sent by its hash, and in full where Redis does not know it. */
export interface RedisScript {
  readonly lua: string;
  readonly sha: string;
}

function script(body: string): RedisScript {
  const lua = SCRIPT_PRELUDE + body;
  return { lua, sha: createHash("sha1").update(lua).digest("hex") };
}

/** KEYS: any number. Answers value and remaining milliseconds of each, in one moment. */
export const READ_WITH_LIFETIME: RedisScript = script(`
local out = {}
for i, key in ipairs(KEYS) do
  out[2 * i - 1] = redis.call('GET', key)
  out[2 * i] = redis.call('PTTL', key)
end
return out
`);

/**
 * ARGV: leaseMs markerMs, then for each key: token minVersion minProvenAt.
 * Answers for each key: 1 granted, 0 not, -1 no room.
 *
 * A lease remembers below which version nothing may be filled in under it; where that is known it
 * outlives the right to fill, as the marker that it then is.
 */
export const LEASE: RedisScript = script(`
local leaseMs, markerMs, now = tonumber(ARGV[1]), ARGV[2], now_ms()
local out = {}
for i, key in ipairs(KEYS) do
  local at = 3 * i
  local token, minVersion, minProven = ARGV[at], tonumber(ARGV[at + 1]), tonumber(ARGV[at + 2])
  local kind, version, raw = head(key)
  local granted, floor = true, minVersion
  if kind == 'L' and lease_lives(raw, now, leaseMs) then
    granted = false
    if minVersion > version then
      redis.call('SETRANGE', key, 1, digits(minVersion))
      redis.call('PEXPIRE', key, markerMs)
    end
  elseif kind == 'L' or kind == 'M' then
    floor = math.max(minVersion, version)
  elseif kind == 'C' then
    granted = version < minVersion or number_at(raw, 2) <= minProven
    floor = math.max(minVersion, version)
  elseif kind == 'E' then
    granted = number_at(raw, 3) < minVersion
  end
  out[i] = 0
  if granted then
    local life = floor > 0 and markerMs or ARGV[1]
    out[i] = store(key, 'L' .. digits(floor) .. digits(now) .. token, life) and 1 or -1
  end
end
return out
`);

/**
 * ARGV: leaseMs markerMs, then for each key: token version lifeMs remainingMs entry.
 * remainingMs: of an item with a TTL, what was left of it when the grant of the lease was known.
 * It is counted from the grant itself, which is earlier, by this server's clock alone.
 * Answers for each key: 1 stored, 0 not, -1 no room.
 */
export const FILL: RedisScript = script(`
local leaseMs, markerMs, now = tonumber(ARGV[1]), ARGV[2], now_ms()
local out = {}
for i, key in ipairs(KEYS) do
  local at = 5 * i - 2
  local token, version, life, remaining = ARGV[at], tonumber(ARGV[at + 1]), tonumber(ARGV[at + 2]), ARGV[at + 3]
  local kind, floor, raw = head(key)
  out[i] = 0
  if kind == 'L' and string.sub(raw, 34) == token and lease_lives(raw, now, leaseMs) then
    if remaining ~= '' then
      life = math.min(life, number_at(raw, 2) + tonumber(remaining) - now)
    end
    if version < floor or life < 1 then
      unlease(key, floor, markerMs)
    elseif store(key, ARGV[at + 4], life) then
      out[i] = 1
    else
      redis.call('DEL', key)
      out[i] = -1
    end
  end
end
return out
`);

/** ARGV: markerMs, then for each key: token. */
export const RELEASE: RedisScript = script(`
for i, key in ipairs(KEYS) do
  local kind, floor, raw = head(key)
  if kind == 'L' and string.sub(raw, 34) == ARGV[i + 1] then
    unlease(key, floor, ARGV[1])
  end
end
return 1
`);

/**
 * ARGV: channel message markerMs, then for each key: version lifeMs entry (empty: only a marker).
 * Answers for each key: 1 stored, 2 marked, 0 something newer was there, -1 marked by a hole.
 *
 * What is there and older is replaced. A hole and a lease only become a marker: nobody knows what was
 * forgotten there, and this command may be an old one that was held up. On a server that is full a
 * hole takes the place of the marker: what was older is gone all the same.
 */
export const SETTLE: RedisScript = script(`
local markerMs = ARGV[3]
local out = {}
for i, key in ipairs(KEYS) do
  local at = 3 * i + 1
  local version, entry = tonumber(ARGV[at]), ARGV[at + 2]
  local kind, known, raw = head(key)
  if kind == 'E' then known = number_at(raw, 3) end
  if kind ~= '' and known >= version then
    out[i] = 0
  else
    local copies = entry ~= '' and (kind == 'C' or kind == 'M' or kind == 'E')
    if copies and store(key, entry, ARGV[at + 1]) then
      out[i] = 1
    elseif store(key, 'M' .. digits(version), markerMs) then
      out[i] = 2
    else
      redis.call('DEL', key)
      out[i] = -1
    end
  end
end
redis.pcall('PUBLISH', ARGV[1], ARGV[2])
return out
`);

/** ARGV: for each key what was read there, up to 81 bytes. Removes what still begins so. */
export const DISCARD: RedisScript = script(`
for i, key in ipairs(KEYS) do
  if redis.call('GETRANGE', key, 0, HEAD_LAST) == ARGV[i] then redis.call('DEL', key) end
end
return 1
`);

/** KEYS: any number. Removes those that are ephemeral items; answers how many. */
export const REMOVE_EPHEMERALS: RedisScript = script(`
local count = 0
for _, key in ipairs(KEYS) do
  if head(key) == 'E' then
    count = count + redis.call('DEL', key)
  end
end
return count
`);

export const PUT_EPHEMERAL: RedisScript = script(EPHEMERAL_SCRIPTS.put);
export const REMOVE_EPHEMERAL: RedisScript = script(EPHEMERAL_SCRIPTS.remove);
export const TOUCH_EPHEMERAL: RedisScript = script(EPHEMERAL_SCRIPTS.touch);
export const PROVE_EPHEMERAL: RedisScript = script(EPHEMERAL_SCRIPTS.prove);
