package limit

import "time"

// RedisOptions says where the shared limiter is and what its absence means.
type RedisOptions struct {
	URL     string        // redis://, rediss:// or unix://; holds a password: never logged
	Timeout time.Duration // of dialling, of one call, of waiting for a connection; 0 = 200 ms
	Failure string        // RATE_LIMIT_REDIS_FAILURE: local (""), closed or open
}
