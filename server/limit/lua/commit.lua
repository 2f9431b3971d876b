-- commit settles a reservation, or gives a counted request back.
-- KEYS  f entries, p pending, l lock, epoch
-- ARGV  limit, window ms, id, outcome, user
-- reply 'allowed' or 'locked', entries in the window, ms until one leaves or the lock ends
if redis.call('EXISTS', KEYS[4]) == 0 then return {'epoch', 0, 0} end
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local limit, window, id, outcome = tonumber(ARGV[1]), tonumber(ARGV[2]), ARGV[3], ARGV[4]

redis.call('ZREM', KEYS[2], id)
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - window)
if outcome == 'failed' then
  redis.call('ZADD', KEYS[1], 'NX', now, id .. ':' .. ARGV[5]) -- NX: a replay is no second failure
  redis.call('PEXPIRE', KEYS[1], window)
elseif outcome == 'passed' then
  for _, member in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do
    if string.sub(member, string.find(member, ':', 1, true) + 1) == ARGV[5] then
      redis.call('ZREM', KEYS[1], member)
    end
  end
else
  redis.call('ZREM', KEYS[1], id)
end

local rest = redis.call('PTTL', KEYS[3])
if rest > 0 then return {'locked', 0, rest} end
local f, leaves = redis.call('ZCARD', KEYS[1]), 0
if f > 0 then
  local at = math.max(0, f - limit)
  leaves = redis.call('ZRANGE', KEYS[1], at, at, 'WITHSCORES')[2] + window - now
end
return {'allowed', f, leaves}
