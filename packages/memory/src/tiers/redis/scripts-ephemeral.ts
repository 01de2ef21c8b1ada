/**
 * Scripts of ephemeral items, each for one key; Redis is their authority. An answer is a state and,
 * where it has any, versions in decimal:
 *
 *     1 version existed   done; version 0 and existed 0: there was none, and nothing was done
 *     2 version           the condition does not hold; version 0: there was none
 *     3 version           a durable change is known that the caller does not know of
 */
const JUDGE = `
local kind, version, raw = head(KEYS[1])
local live = kind == 'E'
if not live then version = 0 end

local function holds(condition)
  if condition == '' then return true end
  if condition == 'absent' then return not live end
  return live and (condition == 'present' or tonumber(condition) == version)
end

if not holds(ARGV[1]) then return {2, digits(version)} end
`;

/**
 * Versions lie above all that the authority of durable items gives out, so that one can never stand
 * for the other; they go up with the clock, and with each write where the clock does not.
 * Microseconds since 1970 are below 2^52 until the year 2112.
 */
const WRITE = `
local function next_version()
  local time = redis.call('TIME')
  return math.max(version + 1, 4503599627370496 + time[1] * 1000000 + time[2])
end

local function make_head(numbers)
  local text = 'E'
  for _, number in ipairs(numbers) do text = text .. digits(number) end
  return text .. string.sub(redis.sha1hex(text), 1, 8)
end

-- ttl: milliseconds, or nothing for ever.
local function write(version, proven, base, ttl, rest)
  local expires = ttl ~= '' and now_ms() + math.floor(tonumber(ttl)) or 0
  local value = make_head({version, proven, base, expires}) .. rest
  if ttl == '' then
    redis.call('SET', KEYS[1], value)
  else
    redis.call('SET', KEYS[1], value, 'PX', string.format('%.0f', math.max(1, math.floor(tonumber(ttl)))))
  end
end
`;

export const EPHEMERAL_SCRIPTS: {
  readonly [script in "put" | "remove" | "touch" | "prove"]: string;
} = {
  /** ARGV: condition ttlMs provenAt baseVersion rest. */
  put: `${JUDGE}${WRITE}
local proven, base = tonumber(ARGV[3]), tonumber(ARGV[4])
if live then
  -- Both say that no durable item was there: the newer place holds for the newer knowledge.
  proven = math.max(proven, number_at(raw, 2))
  base = math.max(base, number_at(raw, 3))
elseif kind ~= '' then
  local _, known = head(KEYS[1])
  if known > base then return {3, digits(known)} end
end
local made = next_version()
write(made, proven, base, ARGV[2], ARGV[5])
return {1, digits(made), live and 1 or 0}
`,

  /** ARGV: condition. */
  remove: `${JUDGE}
if not live then return {1, digits(0), 0} end
redis.call('DEL', KEYS[1])
return {1, digits(version), 1}
`,

  /** ARGV: condition ttlMs. */
  touch: `${JUDGE}${WRITE}
if not live then return {1, digits(0), 0} end
local made = next_version()
local rest = string.sub(redis.call('GET', KEYS[1]), 74)
write(made, number_at(raw, 2), number_at(raw, 3), ARGV[2], rest)
return {1, digits(made), 1}
`,

  /** ARGV: condition (the version it must have) provenAt baseVersion. */
  prove: `${JUDGE}${WRITE}
if not live then return {1, digits(0), 0} end
local proven = math.max(tonumber(ARGV[2]), number_at(raw, 2))
local base = math.max(tonumber(ARGV[3]), number_at(raw, 3))
redis.call('SETRANGE', KEYS[1], 0, make_head({version, proven, base, number_at(raw, 4)}))
return {1, digits(version), 1}
`,
};
