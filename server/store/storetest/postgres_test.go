package storetest

import (
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"
)

// The folder of the server stays locked while the process lives, also when memory
// was cleaned up: a run beside this one would else remove it.
func TestTheFolderStaysLocked(t *testing.T) {
	PostgresURL(t)
	if place == nil {
		t.Skip("an existing server is used: " + ServerVariable)
	}
	for range 3 {
		runtime.GC()
	}
	f, err := os.OpenFile(filepath.Join(place.Path, ".vitals-lock"), os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err == nil {
		t.Error("the folder of a server in use was free to take")
	}
}
