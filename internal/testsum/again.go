package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
)

// retries is how many failed tests are tried again. More at once have a cause.
const retries = 5

// again runs what failed once more, each package by itself, and takes the failures
// back when all of them pass.
func (s *summary) again(out io.Writer, command []string) {
	n := 0
	for _, tests := range s.failures {
		n += len(tests)
	}
	if n == 0 || n > retries || s.race || len(s.broken) > 0 {
		return
	}
	fmt.Fprintf(out, "\nonce more, by themselves: %d failed tests\n", n)
	second := newSummary()
	var tried []string
	for _, pkg := range slices.Sorted(maps.Keys(s.failures)) {
		tests := s.failures[pkg]
		second.command(out, append(slices.Clone(command), "-run", "^("+strings.Join(tests, "|")+")$", pkg))
		for _, test := range tests {
			tried = append(tried, pkg+" "+test)
		}
	}
	if second.failed+len(second.broken) > 0 || second.passed == 0 {
		return
	}
	s.passed += second.passed
	s.skips = append(s.skips, second.skips...)
	s.skipped += second.skipped
	s.failed, s.unsteady = 0, tried
}
