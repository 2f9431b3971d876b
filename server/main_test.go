package server

import (
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	// storetest's Postgres is waited for as long as this process lives.
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("vitals/internal/stack/local.start.func1"))
}
