-- take counts one request, or denies it uncounted.
-- KEYS  f entries, epoch
-- ARGV  limit, window ms, id
-- reply verdict, entries in the window, ms until one leaves
if redis.call('EXISTS', KEYS[2]) == 0 then return {'epoch', 0, 0} end
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local limit, window = tonumber(ARGV[1]), tonumber(ARGV[2])

redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - window)
local n, verdict = redis.call('ZCARD', KEYS[1]), 'allowed'
if not redis.call('ZSCORE', KEYS[1], ARGV[3]) then
  if n >= limit then
    verdict = 'denied'
  else
    redis.call('ZADD', KEYS[1], now, ARGV[3])
    redis.call('PEXPIRE', KEYS[1], window)
    n = n + 1
  end
end
local at = math.max(0, n - limit)
return {verdict, n, redis.call('ZRANGE', KEYS[1], at, at, 'WITHSCORES')[2] + window - now}
