package report

import (
	"strings"
	"testing"

	"vitals/internal/observe"
)

// A restart is named beside a page whose counts cannot be compared.
func TestARestartIsNamedBesideCountsThatCannotBeCompared(t *testing.T) {
	c := reconciliationCheck(&observe.Reconciliation{Findings: []string{"the system was restarted"}, Unread: "the page is of another make"})
	if c.words != "request counts: the system was restarted" || len(c.proof) > 0 || strings.Join(c.doubts, "") != "not compared: the page is of another make" {
		t.Errorf("got %q, proof %q, doubts %q", c.words, c.proof, c.doubts)
	}
}
