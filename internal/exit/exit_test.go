package exit

import (
	"errors"
	"fmt"
	"syscall"
	"testing"
)

// Whoever reads an answer may go away; a full disk is another matter.
func TestShown(t *testing.T) {
	if err := Shown(fmt.Errorf("write /dev/stdout: %w", syscall.EPIPE)); err != nil {
		t.Errorf("a closed pipe: got %v, want nil", err)
	}
	if err := Shown(syscall.ENOSPC); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("a full disk: got %v", err)
	}
}
