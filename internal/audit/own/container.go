package own

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"

	"vitals/internal/audit"
)

// box is a part of a launch that runs as a container, by the docker command, so
// that nothing but Docker needs to be installed. Its port on loopback stays the
// same over restarts.
type box struct {
	id, port string
}

// docker runs one docker command and gives its output.
func docker(ctx context.Context, args ...string) (string, error) {
	return dockerWith(ctx, nil, args...)
}

// dockerWith runs it with more in its environment: everybody can read arguments.
func dockerWith(ctx context.Context, env []string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "docker", args...)
	cmd.Env = append(os.Environ(), env...)
	out, err := cmd.Output()
	if err != nil {
		var words []byte
		if e, ok := errors.AsType[*exec.ExitError](err); ok {
			words = e.Stderr
		}
		return "", fmt.Errorf("docker %s: %w: %s", args[0], err, bytes.TrimSpace(words))
	}
	return strings.TrimSpace(string(out)), nil
}

// startBox runs the first of the images that is there, or else the first, which
// Docker then fetches. Labels are those of the container stack, whose next start
// removes what a killed process has left.
func startBox(ctx context.Context, closers *[]func(context.Context) error, images []string, inner string, env map[string]string, command ...string) (*box, error) {
	if _, err := exec.LookPath("docker"); err != nil {
		return nil, &audit.Missing{What: "docker", Install: "https://docs.docker.com/engine/install"}
	}
	image := images[0]
	for _, name := range images {
		if _, err := docker(ctx, "image", "inspect", "--format", "{{.Id}}", name); err == nil {
			image = name
			break
		}
	}
	ports, err := freePorts(1)
	if err != nil {
		return nil, err
	}
	b := &box{port: ports[0]}
	boot, _ := os.ReadFile("/proc/sys/kernel/random/boot_id") // none elsewhere than on Linux
	args := []string{
		"run", "--detach", "--publish", "127.0.0.1:" + b.port + ":" + inner,
		"--label", fmt.Sprintf("vitals.pid=%d", os.Getpid()), "--label", "vitals.boot=" + strings.TrimSpace(string(boot)),
	}
	var values []string
	for name, value := range env {
		args = append(args, "--env", name) // its value is taken from the command's environment
		values = append(values, name+"="+value)
	}
	if b.id, err = dockerWith(ctx, values, append(append(args, image), command...)...); err != nil {
		return nil, err
	}
	*closers = append(*closers, func(ctx context.Context) error {
		_, err := docker(ctx, "rm", "--force", "--volumes", b.id)
		return err
	})
	return b, nil
}

// act does one of the audit's actions to the container.
func (b *box) act(ctx context.Context, action string) error {
	switch action {
	case "stop":
		_, err := docker(ctx, "stop", "--time", "5", b.id)
		return err
	case "start", "kill", "pause", "unpause":
		_, err := docker(ctx, action, b.id)
		return err
	}
	return fmt.Errorf("no action %q", action)
}

// patience repeats f until it succeeds, for at most a minute.
func patience(ctx context.Context, what string, f func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for {
		err := f(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s does not answer: %w", what, err)
		case <-time.After(50 * time.Millisecond):
		}
	}
}
