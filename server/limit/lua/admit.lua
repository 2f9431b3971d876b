-- admit decides on an attempt at an account from an address it does not know, and
-- reserves it.
-- KEYS  f failures, n next attempt, c streak, p slots, epoch
-- ARGV  failures, window ms, streak max, first wait ms, last wait ms, busy wait ms, id, lease ms
-- reply 'allowed' or 'denied', 0, ms to wait
if redis.call('EXISTS', KEYS[5]) == 0 then return {'epoch', 0, 0} end
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local threshold, window, most, last = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[5])

redis.call('ZREMRANGEBYSCORE', KEYS[4], '-inf', now)
if redis.call('ZSCORE', KEYS[4], ARGV[7]) then return {'allowed', 0, 0} end
local streak = tonumber(redis.call('GET', KEYS[3]) or '0')
if streak >= most then return {'denied', 0, last} end
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - window)
local n, slots = redis.call('ZCARD', KEYS[1]), redis.call('ZCARD', KEYS[4])
if n >= threshold then
  local rest = redis.call('PTTL', KEYS[2])
  if rest > 0 then return {'denied', 0, rest} end
end
if n < threshold and n + slots >= threshold or streak + slots >= most then return {'denied', 0, tonumber(ARGV[6])} end
if n >= threshold then
  -- The next attempt is reserved before this one is judged.
  redis.call('SET', KEYS[2], now, 'PX', math.min(last, ARGV[4] * 2 ^ math.min(n - threshold, 5)))
end
redis.call('ZADD', KEYS[4], now + ARGV[8], ARGV[7])
redis.call('PEXPIRE', KEYS[4], ARGV[8])
return {'allowed', 0, 0}
