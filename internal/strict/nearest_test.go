package strict_test

import (
	"testing"

	"vitals/internal/strict"
)

func TestNearest(t *testing.T) {
	for _, c := range [][2]string{{"p59", "p95"}, {"p96", "p90"}, {"eror", "errors"}, {"zzz", ""}} {
		if got, _ := strict.Nearest(c[0], []string{"errors", "p50", "p90", "p95", "rps"}); got != c[1] {
			t.Errorf("%s: got %q, want %q", c[0], got, c[1])
		}
	}
}
