package audited_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// A build that lists medications slowly says so, and does not serve production.
func TestSlowBuildIsSaid(t *testing.T) {
	binary(t, "faults") // skips where nothing is built
	bin := filepath.Join(t.TempDir(), "vitals")
	build := exec.Command("go", "build", "-tags", "faults", "-ldflags", "-X vitals/server/fault.slow=7ms", "-o", bin, "vitals/cmd/vitals")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if text, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build vitals: %v\n%s", err, text)
	}
	for env, want := range map[string]string{"test": "a list of medications takes 7ms longer", "production": "slow on purpose, and never in production"} {
		cmd := exec.Command(bin, "serve", "config")
		cmd.Env = []string{"ENV=" + env}
		var said bytes.Buffer
		cmd.Stderr = &said
		_ = cmd.Run() // the exit code is that of any refusal
		if !bytes.Contains(said.Bytes(), []byte(want)) {
			t.Errorf("ENV=%s: got %s, want %q", env, said.String(), want)
		}
	}
}
