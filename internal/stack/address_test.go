package stack_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"vitals/internal/stack"
)

// Runs that begin in one second, or while another lasts, take addresses of their own;
// a clock that was wrong once does not decide for good, and neither does a broken file.
func TestRunsTakeAddressesOfTheirOwn(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	now := time.Date(2026, 11, 29, 8, 0, 0, 0, time.UTC)
	first, second, later := stack.FirstAddress(now), stack.FirstAddress(now), stack.FirstAddress(now.Add(time.Second))
	if second < first+2048 || later < second+2048 {
		t.Errorf("got %d, %d and %d, want each 2048 after the one before", first, second, later)
	}
	if hour := stack.FirstAddress(now.Add(time.Hour)); hour != first+3600*128 {
		t.Errorf("an hour later: got %d, want %d by the clock", hour, first+3600*128)
	}
	if before := stack.FirstAddress(now.Add(-24 * time.Hour)); before != first-24*3600*128 {
		t.Errorf("by a clock that was put back: got %d, want %d", before, first-24*3600*128)
	}
	files, err := filepath.Glob(filepath.Join(os.TempDir(), "vitals-addresses-*"))
	if err != nil || len(files) != 1 {
		t.Fatalf("got files %v, %v, want one", files, err)
	}
	if err := os.WriteFile(files[0], []byte("garbage\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := stack.FirstAddress(now); got != first {
		t.Errorf("with a broken file: got %d, want %d by the clock", got, first)
	}
}
