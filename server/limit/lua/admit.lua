-- admit decides on an attempt at an account from an address it does not know
-- (hardening 2.5.6).
-- KEYS  f failures, n next attempt, c streak, epoch
-- ARGV  failures, window ms, streak max, first wait ms, last wait ms
-- reply 'allowed' or 'denied', 0, ms to wait
if redis.call('EXISTS', KEYS[4]) == 0 then return {'epoch', 0, 0} end
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local threshold, window, last = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[5])

if tonumber(redis.call('GET', KEYS[3]) or '0') >= tonumber(ARGV[3]) then return {'denied', 0, last} end
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - window)
local n = redis.call('ZCARD', KEYS[1])
if n < threshold then return {'allowed', 0, 0} end
local rest = redis.call('PTTL', KEYS[2])
if rest > 0 then return {'denied', 0, rest} end
-- The next attempt is reserved before this one is judged.
redis.call('SET', KEYS[2], now, 'PX', math.min(last, ARGV[4] * 2 ^ math.min(n - threshold, 5)))
return {'allowed', 0, 0}
