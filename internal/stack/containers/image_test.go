package containers_test

import (
	"context"
	"errors"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/moby/moby/client"

	"vitals/internal/stack"
	"vitals/internal/stack/containers"
)

// An image that the project's own Dockerfile makes is a version of the API: it
// seeds its accounts itself, and is there for the next start.
func TestStackOfAnImage(t *testing.T) {
	if err := containers.Available(t.Context()); err != nil {
		t.Skipf("the container stack was not tried: %v", err)
	}
	if _, err := exec.LookPath("docker"); err != nil {
		t.Skip("the docker command is not installed: it builds the image as the Dockerfile says")
	}
	dir := t.TempDir()
	copyFile(t, "../../../Dockerfile", filepath.Join(dir, "Dockerfile"))
	copyFile(t, build(t), filepath.Join(dir, "bin", "vitals"))
	name := "vitals/test:" + pid()
	if out, err := exec.CommandContext(t.Context(), "docker", "build", "--quiet", "--tag", name, dir).CombinedOutput(); err != nil {
		t.Fatalf("docker build: %v: %s", err, out)
	}
	t.Cleanup(func() {
		engine, err := client.New(client.FromEnv)
		if err == nil {
			_, err = engine.ImageRemove(context.Background(), name, client.ImageRemoveOptions{Force: true})
			err = errors.Join(err, engine.Close())
		}
		if err != nil {
			t.Error(err)
		}
	})
	subject, cleanup, err := stack.Resolve(t.Context(), name)
	if err != nil || subject.Kind != stack.Image {
		t.Fatalf("got %+v, %v, want an image", subject, err)
	}
	defer cleanup()
	for range 2 { // two slots of a duet
		s, err := containers.Starter{Images: containers.Images{API: subject.Image}, Accounts: 3, Talk: t.Output()}.Start(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if got := login(t, s, stack.Benchmark(7), s.Accounts[0].Password); got != http.StatusOK {
			t.Errorf("sign-in of a seeded account: got %d, want 200", got)
		}
		if err := s.Close(context.Background()); err != nil {
			t.Error(err)
		}
	}
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	b, err := os.ReadFile(from)
	if err == nil {
		err = os.MkdirAll(filepath.Dir(to), 0o755)
	}
	if err == nil {
		err = os.WriteFile(to, b, 0o755)
	}
	if err != nil {
		t.Fatal(err)
	}
}
