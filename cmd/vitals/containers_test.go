package main

import (
	"bytes"
	"context"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"github.com/moby/moby/client"

	"vitals/internal/exit"
	"vitals/internal/stack/containers"
	"vitals/targets"
)

func needDocker(t *testing.T) {
	t.Helper()
	if err := containers.Available(t.Context()); err != nil {
		t.Skipf("the container stack was not run: %v", err)
	}
}

// leftBy are the containers and networks of a process that has ended.
func leftBy(t *testing.T, pid int) []string {
	t.Helper()
	engine, err := client.New(client.FromEnv)
	if err != nil {
		t.Fatal(err)
	}
	defer engine.Close()
	mine := client.Filters{}.Add("label", "vitals.pid="+strconv.Itoa(pid))
	boxes, err := engine.ContainerList(context.Background(), client.ContainerListOptions{All: true, Filters: mine})
	if err != nil {
		t.Fatal(err)
	}
	var left []string
	for _, c := range boxes.Items {
		left = append(left, c.Names...)
	}
	nets, err := engine.NetworkList(context.Background(), client.NetworkListOptions{Filters: mine})
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range nets.Items {
		left = append(left, n.Name)
	}
	return left
}

// The whole job on Postgres and Redis: the lockout holds behind a forwarding
// driver, the document shows that both were used, and nothing is left behind.
func TestContainersRun(t *testing.T) {
	needDocker(t)
	out := t.TempDir()
	cmd := exec.CommandContext(t.Context(), binary, "run", "smoke", "--stack", "containers", "--pace", "quick", "--out", out)
	var talk bytes.Buffer
	cmd.Stderr = &talk
	_ = cmd.Run()
	if code := cmd.ProcessState.ExitCode(); code != exit.Pass && code != exit.NoAnswer { // 3: a busy machine measures itself, and says so
		t.Fatalf("exit: got %d\n%s", code, talk.String())
	}
	d := document(t, out)
	for _, text := range []string{"lockout.admitted == 5", "lockout.bystanders == 0", "lockout.leaked == 0"} {
		if v := status(t, d, text); v.Status != targets.Pass {
			t.Errorf("got %v, want it passed", v)
		}
	}
	grown := map[string]bool{}
	for _, e := range d.Runs[0].Evidence {
		grown[e.Name] = e.After > e.Before
	}
	for _, name := range []string{"rows.medications", "rows.intake_logs", "redis.evalsha"} {
		if !grown[name] {
			t.Errorf("evidence %s: want it grown by the run", name)
		}
	}
	if len(d.Limits) == 0 || len(d.Deviations) != 0 {
		t.Errorf("got %d limits and deviations %v, want the production limits in force", len(d.Limits), d.Deviations)
	}
	// The sign-ins of intruders before the server's counts are first read.
	const preparing = 2
	if h, b := d.Runs[0].Invariants, d.Runs[0].Reconciliation; h.Broken() > 0 || h.Answers < 60 || b == nil || len(b.Findings) > 0 || b.Requests+preparing < h.Answers {
		t.Errorf("got invariants %+v and reconciliation %+v, want both right", h, b)
	}
	if left := leftBy(t, cmd.Process.Pid); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

// Ctrl-C while containers run, and while they start: all of it is removed.
func TestContainersInterrupted(t *testing.T) {
	needDocker(t)
	for _, moment := range []string{"postgres started", "smoke 0:0"} {
		t.Run(strings.Fields(moment)[0], func(t *testing.T) {
			t.Parallel()
			cmd, _, _ := interrupted(t, moment, "run", "smoke", "--stack", "containers", "--pace", "quick", "--out", t.TempDir())
			if left := leftBy(t, cmd.Process.Pid); len(left) > 0 {
				t.Errorf("left behind: %v", left)
			}
		})
	}
}
