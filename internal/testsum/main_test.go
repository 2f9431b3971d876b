package main

import (
	"bytes"
	"os"
	"path/filepath"
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

// A test that failed and passes by itself is no failure, and is named. A data race,
// a second failure, and many failures at once stay what they are.
func TestAgain(t *testing.T) {
	failed := func(text string, names ...string) string {
		lines := ""
		for _, name := range names {
			lines += `{"Action":"output","Package":"a","Test":"` + name + `","Output":"` + text + `\n"}` + "\n" + `{"Action":"fail","Package":"a","Test":"` + name + `"}` + "\n"
		}
		return lines
	}
	script := func(events, again string) []string {
		return []string{"-again", again, "sh", "-c", "printf '%s' '" + events + "'; exit 1"}
	}
	pass := filepath.Join(t.TempDir(), "pass")
	if err := os.WriteFile(pass, []byte("#!/bin/sh\necho '{\"Action\":\"pass\",\"Package\":\"a\",\"Test\":\"TestA\"}'\necho \"asked: $*\"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		args []string
		code int
		want string
	}{
		"passes then":     {script(failed("why", "TestA", "TestA/b"), pass), 0, "1 failed and passed at the second try"},
		"alone":           {script(failed("why", "TestA", "TestA/b"), pass), 0, "asked: -run ^(TestA)$ a"},
		"what it said":    {script(failed("why", "TestA"), pass), 0, "why"},
		"fails again":     {script(failed("why", "TestA"), "false"), 1, "1 failed"},
		"runs nothing":    {script(failed("why", "TestA"), "true"), 1, "1 failed"},
		"a data race":     {script(failed("WARNING: DATA RACE", "TestA"), pass), 1, "1 failed"},
		"many":            {script(failed("why", "TestA", "TestB", "TestC", "TestD", "TestE", "TestF"), pass), 1, "6 failed"},
		"a package broke": {script(failed("why", "TestA")+`{"Action":"fail","Package":"b"}`, pass), 1, "2 failed"},
	} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			if got := run(tt.args, &out); got != tt.code || !strings.Contains(out.String(), tt.want) {
				t.Errorf("got exit %d and\n%swant exit %d and %q", got, out.String(), tt.code, tt.want)
			}
		})
	}
}
