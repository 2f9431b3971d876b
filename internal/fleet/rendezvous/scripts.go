package rendezvous

import "github.com/redis/go-redis/v9"

// What must happen as one: two processes that ask at the same time must not both be
// told yes.
var (
	// hold takes or renews the lease: "" when it is ours, else who holds it.
	hold = redis.NewScript(`
local held = redis.call("GET", KEYS[1])
if held and held ~= ARGV[1] then return held end
redis.call("SET", KEYS[1], ARGV[1], "PX", ARGV[2])
return ""`)

	// drop gives the lease back, if it is ours.
	drop = redis.NewScript(`
if redis.call("GET", KEYS[1]) == ARGV[1] then return redis.call("DEL", KEYS[1]) end
return 0`)

	// begin sets the start if everybody is there; an earlier one stands.
	begin = redis.NewScript(`
if redis.call("EXISTS", KEYS[1]) == 1 then return 1 end
if redis.call("HLEN", KEYS[2]) < tonumber(ARGV[2]) then return 0 end
redis.call("SET", KEYS[1], ARGV[1], "PX", ARGV[3])
return 1`)

	// leave gives an index back, if it is ours and the start is not set: after that,
	// a share may have been sent.
	leave = redis.NewScript(`
if redis.call("EXISTS", KEYS[1]) == 1 or redis.call("GET", KEYS[2]) ~= ARGV[1] then return 0 end
redis.call("DEL", KEYS[2], KEYS[3])
redis.call("HDEL", KEYS[4], ARGV[2])
return 1`)
)
