package containers_test

import (
	"testing"

	"vitals/internal/stack/containers"
)

// TestFaults breaks the parts of one stack of two replicas, one after the other,
// and watches the controls. Each subtest leaves the stack whole; the names carry
// the probe or trap of hardening sections 3 and 4.
//
// The time bounds are the specification's where it has one. Where it has none
// they are wide, because the machine may be busy: what matters is that nothing
// waits for a client library's default of 5 s or a pool's of 30 s.
func TestFaults(t *testing.T) {
	rounds := lockoutRounds(t)
	c := &clinic{Stack: start(t, containers.Starter{
		Accounts: rounds + 100, Replicas: 2,
		Env: map[string]string{
			"REPLICAS": "2",
			// Short, so that a frozen Postgres is waited for in seconds.
			"DB_STATEMENT_TIMEOUT": "2", "DB_CONNECT_TIMEOUT": "2", "DB_POOL_TIMEOUT": "3",
		},
	})}
	t.Run("LK9 one lockout over two replicas", func(t *testing.T) { testSharedLockout(t, c, rounds) })
	t.Run("LK10 a lock outlives Redis", func(t *testing.T) { testLockOutlivesRedis(t, c) })
	t.Run("LK11 a lock outlives the API", func(t *testing.T) { testLockOutlivesAPI(t, c) })
	t.Run("LK12 Redis stopped", func(t *testing.T) { testWithoutRedis(t, c, stopped) })
	t.Run("LK12 Redis frozen", func(t *testing.T) { testWithoutRedis(t, c, frozen) })
	t.Run("HL4_LK26 Postgres stopped", func(t *testing.T) { testPostgresStopped(t, c) })
	t.Run("HL5 Postgres and Redis stopped", func(t *testing.T) { testNothingBehind(t, c) })
	t.Run("DB2 Postgres frozen", func(t *testing.T) { testPostgresFrozen(t, c) })
	t.Run("LK9 one replica killed", func(t *testing.T) { testReplicaKilled(t, c) })
}
