package process

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"testing"

	"go.uber.org/goleak"

	"vitals/server/config"
)

// TestMain lets this test binary be a worker: a supervisor under test starts its
// own program again, which is this one.
func TestMain(m *testing.M) {
	if workerNumber(os.Getenv) > 0 || os.Getenv(supervisorMark) != "" {
		os.Exit(serviceMain())
	}
	// storetest's Postgres is waited for as long as this process lives.
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("vitals/internal/stack/local.start.func1"))
}

// supervisorMark makes this binary the whole service; it names the ready file.
const supervisorMark = "VITALS_TEST_SERVICE"

func serviceMain() int {
	cfg, _, err := config.Load(Environment(os.Environ()))
	if err == nil {
		ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
		defer stop()
		err = Run(ctx, cfg, Options{Log: os.Stdout, ReadyFile: os.Getenv(supervisorMark)})
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "worker:", err)
		return 1
	}
	return 0
}
