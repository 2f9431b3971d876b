package main

import (
	"bytes"
	"strings"
	"testing"
)

// A test run that was killed, or a command that cannot start, is a failure
// although no test failed.
func TestCommandsThatEndBadly(t *testing.T) {
	const pass = `{"Action":"pass","Package":"a","Test":"TestA"}`
	for name, tt := range map[string]struct {
		args []string
		code int
		want string
	}{
		"passes":        {[]string{"echo", pass}, 0, "1 passed, 0 failed"},
		"nothing ran":   {[]string{"true"}, 1, "0 passed"},
		"killed":        {[]string{"sh", "-c", "echo '" + pass + "'; kill -9 $$"}, 1, "signal: killed"},
		"the first bad": {[]string{"sh", "-c", "exit 3", "--", "echo", pass}, 1, "exit status 3"},
		"not there":     {[]string{"no-such-command-here", "--", "echo", pass}, 1, "no-such-command-here"},
		"dies beside a failed one": {[]string{"echo", `{"Action":"fail","Package":"a","Test":"TestB"}
{"Action":"output","Package":"b","Test":"TestC","Output":"where it hung\\n"}
{"Action":"fail","Package":"b"}`}, 1, "where it hung"},
		"a failed test": {[]string{"sh", "-c", `echo '{"Action":"fail","Package":"a","Test":"TestB"}'; exit 1`}, 1, "0 passed, 1 failed"},
	} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			if got := run(tt.args, &out); got != tt.code || !strings.Contains(out.String(), tt.want) {
				t.Errorf("got exit %d and\n%swant exit %d and %q", got, out.String(), tt.code, tt.want)
			}
		})
	}
}
