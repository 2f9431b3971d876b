package stack

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
)

// Kind of a subject: what a version of the system under test was named by.
type Kind string

// The kinds, which are also the prefixes that settle what a name means.
const (
	Binary   Kind = "binary"   // a vitals program
	Image    Kind = "image"    // a container image of it
	Revision Kind = "revision" // a git revision of this source tree, built here
)

// Subject is one version of the reference API, ready to be started: by
// local.Embedded or containers.Starter when it has a Binary, by
// containers.Starter with Images.API when it has an Image.
type Subject struct {
	Kind   Kind   `json:"kind"`
	Ref    string `json:"ref"`              // as it was named
	Binary string `json:"-"`                // path of the program; "" for an image
	Image  string `json:"image,omitempty"`  // "" unless Kind is Image
	Rev    string `json:"commit,omitempty"` // the full commit id; "" unless Kind is Revision
}

// imageName is what Docker takes for an image: a name of lower-case parts with an
// optional registry, tag and digest (distribution/reference).
var imageName = regexp.MustCompile(`^[a-z0-9]+([._-]+[a-z0-9]+)*(:[0-9]+)?(/[a-z0-9]+([._-]+[a-z0-9]+)*)*(:[\w][\w.-]{0,127})?(@sha256:[0-9a-f]{64})?$`)

// Resolve finds what a name means: the file of a program, a git revision, or else
// an image. "binary:", "revision:" or "image:" before it settles that. A revision
// is built in a worktree of its own. Whether an image is there shows when it is
// started. cleanup removes what was built, and is never nil.
func Resolve(ctx context.Context, ref string) (s Subject, cleanup func() error, err error) {
	nothing := func() error { return nil }
	name, asked := ref, Kind("")
	if kind, rest, ok := strings.Cut(ref, ":"); ok {
		if k := Kind(kind); k == Binary || k == Image || k == Revision {
			name, asked = rest, k
		}
	}
	kinds := []Kind{asked}
	if asked == "" {
		kinds = meanings(ctx, name)
	}
	switch {
	case name == "":
		return s, nothing, errors.New("no version is named: want a vitals program, a git revision or an image")
	case len(kinds) == 0:
		return s, nothing, fmt.Errorf("%q is no program (no such file), no git revision here and no name of an image", name)
	case len(kinds) > 1:
		return s, nothing, fmt.Errorf("%q is a file and a git revision: write %s:%s or %s:%s", name, Binary, name, Revision, name)
	}
	s = Subject{Kind: kinds[0], Ref: ref}
	switch s.Kind {
	case Binary:
		s.Binary, err = program(name)
		return s, nothing, err
	case Image:
		if s.Image = name; !imageName.MatchString(name) {
			err = fmt.Errorf("%q is no name of an image", name)
		}
		return s, nothing, err
	}
	if s.Rev, err = commit(ctx, name); err != nil {
		return s, nothing, err
	}
	folder, err := NewFolder("subject", false)
	if err != nil {
		return s, nothing, err
	}
	s.Binary = filepath.Join(folder.Path, "vitals")
	if err := build(ctx, s.Rev, folder.Path, s.Binary); err != nil {
		return s, nothing, errors.Join(fmt.Errorf("build revision %s: %w", name, err), folder.Remove())
	}
	return s, folder.Remove, nil
}

// meanings are the kinds that a name without a prefix can mean. What is neither a
// file nor a revision may be an image.
func meanings(ctx context.Context, name string) (kinds []Kind) {
	if info, err := os.Stat(name); err == nil && info.Mode().IsRegular() {
		kinds = append(kinds, Binary)
	}
	if _, err := commit(ctx, name); err == nil {
		kinds = append(kinds, Revision)
	}
	if kinds == nil && imageName.MatchString(name) {
		kinds = append(kinds, Image)
	}
	return kinds
}

// program is the absolute path of a file that can be run.
func program(name string) (string, error) {
	path, err := filepath.Abs(name)
	if err != nil {
		return "", err
	}
	info, err := os.Stat(path)
	if err != nil {
		return "", fmt.Errorf("find the program: %w", err)
	}
	if !info.Mode().IsRegular() || info.Mode().Perm()&0o111 == 0 && filepath.Ext(path) != ".exe" {
		return "", fmt.Errorf("%s is no program: want a file that may be executed", name)
	}
	return path, nil
}

// commit is the full id of the commit that a revision names.
func commit(ctx context.Context, name string) (string, error) {
	id, err := command(ctx, "", "git", "rev-parse", "--verify", "--quiet", "--end-of-options", name+"^{commit}")
	if err != nil {
		return "", fmt.Errorf("no git revision %q here", name)
	}
	return id, nil
}

// build builds the program of a commit in a worktree that is gone afterwards.
func build(ctx context.Context, rev, dir, out string) (err error) {
	if _, err := exec.LookPath("go"); err != nil {
		return errors.New("no Go toolchain to build it with: name a vitals program or an image instead")
	}
	tree := filepath.Join(dir, "tree")
	if _, err := command(ctx, "", "git", "worktree", "add", "--detach", "--quiet", tree, rev); err != nil {
		return err
	}
	defer func() {
		_, rerr := command(context.WithoutCancel(ctx), "", "git", "worktree", "remove", "--force", tree)
		err = errors.Join(err, rerr)
	}()
	if _, err := os.Stat(filepath.Join(tree, "cmd", "vitals")); err != nil {
		return errors.New("it has no cmd/vitals: only revisions of Vitals itself can be built")
	}
	_, err = command(ctx, tree, "go", "build", "-trimpath", "-buildvcs=false", "-ldflags", "-s -w -X main.version="+rev[:12], "-o", out, "./cmd/vitals")
	return err
}

// command runs a program to its end and gives what it printed, or what it complained of.
func command(ctx context.Context, dir, name string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	var complaint bytes.Buffer
	cmd.Dir, cmd.Stderr, cmd.Env = dir, &complaint, append(os.Environ(), "CGO_ENABLED=0")
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("%s %s: %w: %s", name, args[0], err, bytes.TrimSpace(complaint.Bytes()))
	}
	return string(bytes.TrimSpace(out)), nil
}
