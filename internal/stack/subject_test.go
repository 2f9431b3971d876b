package stack_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"vitals/internal/stack"
)

// repository is a git repository with a cmd/vitals of two revisions, v1 and v2,
// which print their names; the working directory until the test ends.
func repository(t *testing.T) {
	t.Helper()
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("git is not installed")
	}
	t.Chdir(t.TempDir())
	write(t, "go.mod", "module vitals\n\ngo 1.26\n")
	git(t, "init", "--quiet")
	for _, v := range []string{"v1", "v2"} {
		write(t, "cmd/vitals/main.go", "package main\n\nvar version string\n\nfunc main() { println(\""+v+"\", version) }\n")
		git(t, "add", ".")
		git(t, "-c", "user.name=test", "-c", "user.email=test@example.org", "commit", "--quiet", "-m", v)
		git(t, "tag", v)
	}
}

func git(t *testing.T, args ...string) string {
	t.Helper()
	out, err := exec.Command("git", args...).CombinedOutput()
	if err != nil {
		t.Fatalf("git %v: %v: %s", args, err, out)
	}
	return strings.TrimSpace(string(out))
}

func write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o755); err != nil {
		t.Fatal(err)
	}
}

// A revision is built as it was, whatever stands in the working tree, and nothing
// of the building stays.
func TestResolveBuildsARevision(t *testing.T) {
	repository(t)
	write(t, "cmd/vitals/main.go", "not go")
	s, cleanup, err := stack.Resolve(t.Context(), "v1")
	if err != nil {
		t.Fatal(err)
	}
	rev := git(t, "rev-parse", "v1")
	if s.Kind != stack.Revision || s.Rev != rev || s.Ref != "v1" {
		t.Errorf("got %+v, want the revision %s named v1", s, rev)
	}
	out, err := exec.Command(s.Binary).CombinedOutput()
	if want := "v1 " + rev[:12] + "\n"; err != nil || string(out) != want {
		t.Errorf("the program printed %q, %v, want %q", out, err, want)
	}
	if err := cleanup(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Dir(s.Binary)); !os.IsNotExist(err) {
		t.Errorf("%s is still there", filepath.Dir(s.Binary))
	}
	if trees := git(t, "worktree", "list"); strings.Count(trees, "\n") != 0 {
		t.Errorf("a worktree stays: %s", trees)
	}
}

func TestResolveTellsWhatANameMeans(t *testing.T) {
	repository(t)
	write(t, "program", "")
	write(t, "v2", "") // a file and a revision
	write(t, "data", "")
	if err := os.Chmod("data", 0o644); err != nil {
		t.Fatal(err)
	}
	path, err := filepath.Abs("program")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		ref  string
		want stack.Subject
		err  string
	}{
		{ref: "./program", want: stack.Subject{Kind: stack.Binary, Ref: "./program", Binary: path}},
		{ref: "binary:program", want: stack.Subject{Kind: stack.Binary, Ref: "binary:program", Binary: path}},
		{ref: "vitals/api:1.2", want: stack.Subject{Kind: stack.Image, Ref: "vitals/api:1.2", Image: "vitals/api:1.2"}},
		{ref: "registry.example.org:5000/clinic/api", want: stack.Subject{Kind: stack.Image, Ref: "registry.example.org:5000/clinic/api", Image: "registry.example.org:5000/clinic/api"}},
		{ref: "image:v1", want: stack.Subject{Kind: stack.Image, Ref: "image:v1", Image: "v1"}},
		{ref: "v2", err: "write binary:v2 or revision:v2"},
		{ref: "data", err: "want a file that may be executed"},
		{ref: "./nothing", err: "no such file"},
		{ref: "binary:nothing", err: "no such file"},
		{ref: "revision:nothing", err: `no git revision "nothing" here`},
		{ref: "revision:--all", err: `no git revision "--all" here`},
		{ref: "image:UPPER", err: "no name of an image"},
		{ref: "", err: "want a vitals program, a git revision or an image"},
	} {
		got, cleanup, err := stack.Resolve(t.Context(), c.ref)
		if cerr := cleanup(); cerr != nil {
			t.Errorf("%q: clean up: %v", c.ref, cerr)
		}
		switch {
		case c.err == "" && (err != nil || got != c.want):
			t.Errorf("%q: got %+v, %v, want %+v", c.ref, got, err, c.want)
		case c.err != "" && (err == nil || !strings.Contains(err.Error(), c.err)):
			t.Errorf("%q: got error %v, want one with %q", c.ref, err, c.err)
		}
	}
}

// What cannot be built says so, and leaves nothing.
func TestResolveOfARevisionThatDoesNotBuild(t *testing.T) {
	repository(t)
	write(t, "cmd/vitals/main.go", "package main\n\nfunc main() { undefined() }\n")
	git(t, "-c", "user.name=test", "-c", "user.email=test@example.org", "commit", "--quiet", "-am", "broken")
	_, _, err := stack.Resolve(t.Context(), "HEAD")
	if err == nil || !strings.Contains(err.Error(), "undefined: undefined") {
		t.Errorf("got %v, want the compiler's words", err)
	}
	if trees := git(t, "worktree", "list"); strings.Count(trees, "\n") != 0 {
		t.Errorf("a worktree stays: %s", trees)
	}
}
