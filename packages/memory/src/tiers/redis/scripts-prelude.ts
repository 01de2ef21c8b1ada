/**
 * What all scripts know of entries (entry-codec.ts says how they look). Lua's numbers are doubles:
 * exact for all that is compared here, which is below 2^53.
 */
export const SCRIPT_PRELUDE = `
local HEAD_LAST = 80

local function digits(number)
  return string.format('%016.0f', number)
end

-- The n-th number of a head; damage reads as -1, so that it never keeps anything out.
local function number_at(raw, n)
  local text = string.sub(raw, 16 * n - 14, 16 * n + 1)
  if not string.match(text, '^%d%d%d%d%d%d%d%d%d%d%d%d%d%d%d%d$') then return -1 end
  return tonumber(text)
end

-- Kind, first number and head of what lies there; an empty kind is a hole. What is none of ours makes way.
local function head(key)
  local raw = redis.pcall('GETRANGE', key, 0, HEAD_LAST)
  if type(raw) ~= 'string' then
    redis.call('DEL', key)
    return '', -1, ''
  end
  local kind = string.sub(raw, 1, 1)
  local version = number_at(raw, 1)
  if version < 0 or not string.find('CEML', kind, 1, true) then return '', -1, '' end
  return kind, version, raw
end

local function now_ms()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

-- A clock that was set back ends a lease rather than prolongs it.
local function lease_lives(raw, now, leaseMs)
  local since = number_at(raw, 2)
  return since >= 0 and since <= now and now < since + leaseMs
end

-- False: no room.
local function store(key, value, lifeMs)
  local answer = redis.pcall('SET', key, value, 'PX', string.format('%.0f', math.floor(tonumber(lifeMs))))
  if type(answer) == 'table' and answer.err then
    if string.find(answer.err, 'OOM', 1, true) then return false end
    error(answer.err)
  end
  return true
end

local function unlease(key, floor, markerMs)
  if floor <= 0 or not store(key, 'M' .. digits(floor), markerMs) then redis.call('DEL', key) end
end
`;
