package harness

import (
	"testing"

	"vitals/internal/stack"
	"vitals/report"
)

// An image that was named is another program than this one: its own labels tell its
// version, and nothing of this binary stands for it.
func TestSubjectOfAnImage(t *testing.T) {
	st := &stack.Stack{
		Images: map[string]string{"api": "clinic:1.4 sha256:abc"},
		Labels: map[string]string{"org.opencontainers.image.revision": "0123abc", "org.opencontainers.image.version": "1.4.0", "other": "x"},
	}
	if got, want := subject(program(), st), (report.Subject{GitRev: "0123abc", Version: "1.4.0", Image: "clinic:1.4 sha256:abc"}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if got := subject(program(), &stack.Stack{}); got.SHA256 == "" || got.Image != "" {
		t.Errorf("this program: got %+v", got)
	}
}
