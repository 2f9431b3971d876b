-- buckets counts one request in two fixed windows that estimate a sliding one,
-- or gives one back.
-- KEYS  w buckets, epoch
-- ARGV  limit, window ms, 1 to count or -1 to give back
-- reply verdict, previous, current, ms since the current bucket began
if redis.call('EXISTS', KEYS[2]) == 0 then return {'epoch', 0, 0, 0} end
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local limit, window, step = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])

local bucket = math.floor(now / window)
local elapsed = now - bucket * window
local kept = redis.call('HMGET', KEYS[1], 'bucket', 'current', 'previous')
local age = bucket - (tonumber(kept[1]) or 0)
local current, previous = tonumber(kept[2]) or 0, tonumber(kept[3]) or 0
if age == 1 then current, previous = 0, current elseif age ~= 0 then current, previous = 0, 0 end

local verdict = 'allowed'
if step > 0 and previous * (window - elapsed) + current * window > (limit - 1) * window then
  verdict = 'denied'
else
  current = math.max(0, current + step)
  redis.call('HSET', KEYS[1], 'bucket', bucket, 'current', current, 'previous', previous)
  redis.call('PEXPIRE', KEYS[1], 2 * window)
end
return {verdict, previous, current, elapsed}
