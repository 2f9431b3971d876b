package observe_test

import (
	"os"
	"runtime"
	"testing"
	"time"

	"vitals/internal/observe"
)

// More threads that want a processor than there are processors wait for one.
func TestWaitForAProcessor(t *testing.T) {
	if _, err := os.Stat("/proc/self/schedstat"); err != nil {
		t.Skip("this kernel does not count waits for a processor")
	}
	meter := observe.Process(os.Getpid())
	before, err := meter(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	defer close(done)
	previous := runtime.GOMAXPROCS(4 * runtime.NumCPU())
	defer runtime.GOMAXPROCS(previous)
	for range 4 * runtime.NumCPU() {
		go burnCycles(done)
	}
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		now, err := meter(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if now.Waited-before.Waited > 200*time.Millisecond {
			return
		}
	}
	t.Error("four threads for each processor, and none waited")
}
