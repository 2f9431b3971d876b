-- begin reserves a slot for one credential check.
-- KEYS  f failures, p pending, l lock, epoch
-- ARGV  limit, window ms, lock ms, id, lease ms
-- reply verdict, failures in the window, ms until one leaves or the lock ends
if redis.call('EXISTS', KEYS[4]) == 0 then return {'epoch', 0, 0} end
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local limit, window, lock = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])

local rest = redis.call('PTTL', KEYS[3])
if rest > 0 then return {'locked', 0, rest} end

redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - window)
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now)
local f, leaves = redis.call('ZCARD', KEYS[1]), 0
if f > 0 then
  local at = math.max(0, f - limit)
  leaves = redis.call('ZRANGE', KEYS[1], at, at, 'WITHSCORES')[2] + window - now
end

if redis.call('ZSCORE', KEYS[2], ARGV[4]) then return {'allowed', f, leaves} end
if f >= limit then
  if lock == 0 then return {'denied', f, leaves} end
  redis.call('SET', KEYS[3], now, 'PX', lock)
  redis.call('DEL', KEYS[1])
  return {'locked_now', 0, lock}
end
if f + redis.call('ZCARD', KEYS[2]) >= limit then return {'busy', f, leaves} end
redis.call('ZADD', KEYS[2], now + ARGV[5], ARGV[4])
redis.call('PEXPIRE', KEYS[2], ARGV[5])
return {'allowed', f, leaves}
