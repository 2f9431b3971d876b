-- judge records how a check at an account ended.
-- KEYS  f failures, n next attempt, c streak, p slots, epoch
-- ARGV  failures, window ms, streak max, first wait ms, last wait ms, streak life ms, id, outcome, from
-- reply 'allowed', 0, 0
if redis.call('EXISTS', KEYS[5]) == 0 then return {'epoch', 0, 0} end
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local threshold, from = tonumber(ARGV[1]), ARGV[9]

redis.call('ZREM', KEYS[4], ARGV[7])
if ARGV[8] == 'failed' then
  if redis.call('ZADD', KEYS[1], 'NX', now, ARGV[7] .. ':' .. from) == 1 then
    redis.call('PEXPIRE', KEYS[1], ARGV[2])
    redis.call('ZREMRANGEBYRANK', KEYS[1], 0, -1 - ARGV[3])
    redis.call('INCR', KEYS[3])
    redis.call('PEXPIRE', KEYS[3], ARGV[6])
    redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - ARGV[2])
    local n = redis.call('ZCARD', KEYS[1])
    if n >= threshold then
      redis.call('SET', KEYS[2], now, 'PX', math.min(tonumber(ARGV[5]), ARGV[4] * 2 ^ math.min(n - threshold, 5)))
    end
  end
elseif ARGV[8] == 'passed' and from == '' then
  redis.call('DEL', KEYS[1], KEYS[2], KEYS[3], KEYS[4])
elseif ARGV[8] == 'passed' then
  redis.call('DEL', KEYS[3])
  for _, member in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do
    if string.sub(member, string.find(member, ':', 1, true) + 1) == from then
      redis.call('ZREM', KEYS[1], member)
    end
  end
end
return {'allowed', 0, 0}
