package harness

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// dir holds what tests build; it goes with them.
var dir string

func TestMain(m *testing.M) {
	var err error
	if dir, err = os.MkdirTemp("", "vitals-harness-test-"); err != nil {
		fmt.Fprintln(os.Stderr, "make a folder for the program under test:", err)
		os.Exit(1)
	}
	code := m.Run()
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

// program is the program as users build it: the embedded stack starts it as the
// API, so a test binary cannot stand in for it.
var program = sync.OnceValue(func() string { return build() })

// programVersion is what it calls itself: members and controller must be of one version.
var programVersion = sync.OnceValue(func() string {
	text, err := exec.Command(program(), "--version").Output()
	if err != nil {
		panic(fmt.Sprintf("ask the program under test for its version: %v", err))
	}
	return strings.TrimSpace(string(text))
})

// faulty is the same with the seeded faults of the API built in, which users never
// get.
var faulty = sync.OnceValue(func() string { return build("-tags", "faults") })

func build(args ...string) string {
	file := filepath.Join(dir, fmt.Sprint("vitals", len(args)))
	cmd := exec.Command("go", append(append([]string{"build", "-trimpath", "-o", file}, args...), "vitals/cmd/vitals")...)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if text, err := cmd.CombinedOutput(); err != nil {
		panic(fmt.Sprintf("build the program under test: %v\n%s", err, text))
	}
	return file
}
