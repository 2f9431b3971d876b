package e2e

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"vitals/internal/exit"
	"vitals/report"
)

// Runs of four members as an Indexed Job, on a real kubelet.
func TestFleetOnKubernetes(t *testing.T) {
	m := start(t)
	m.server = serve(t, m)
	m.prepare(t)
	for _, c := range []struct {
		name string
		test func(t *testing.T, m *machine)
	}{
		{"FourMembersAreOneRun", wholeRun},
		{"EvictedBeforeTheStart", evictedBefore},
		{"EvictedAfterTheStart", evictedAfter},
		{"EvictedAfterTheStartOneMayBeLost", evictedAfterOneMayBeLost},
		{"KilledAfterTheStart", killed},
		{"OneIsMissing", missing},
		{"Aborted", aborted},
		{"Interrupted", interrupted},
		{"JobDeleted", deleted},
	} {
		t.Run(c.name, func(t *testing.T) { c.test(t, m) })
	}
}

// counts holds a document to what the server saw: all that it says was sent came, and
// came once; slice by slice when the run is whole.
func counts(t *testing.T, m *machine, d *report.Document, want int) {
	t.Helper()
	c := d.Runs[0].Result.Total(true, false).Counts
	all, distinct := m.server.requests()
	t.Logf("planned %d, merged %d, at the server %d, %d distinct; want %d", c.Planned, c.Sent, all, distinct, want)
	if c.Planned != int64(want) || c.Sent != int64(want) || all != want || distinct != want {
		t.Errorf("planned %d, merged %d, at the server %d, %d distinct, want %d of each", c.Planned, c.Sent, all, distinct, want)
	}
	every := d.Runs[0].Result.Series.Every
	for _, s := range d.Runs[0].Result.Series.Slices {
		if there := m.server.within(s.At, s.At+every); s.Counts.Planned != there || s.Counts.Sent != there {
			t.Errorf("slice at %s: planned %d, merged %d, distinct at the server %d", s.At, s.Counts.Planned, s.Counts.Sent, there)
		}
	}
	t.Logf("%d slices of %s hold the same three counts", len(d.Runs[0].Result.Series.Slices), every)
}

// standing tells whether a verdict is one of a run that was whole: a busy machine may
// make it INVALID by lateness, which is said.
func standing(t *testing.T, code int, d *report.Document) {
	t.Helper()
	if d == nil || d.Partial || code != exit.Pass && code != exit.NoAnswer {
		t.Fatalf("exit %d, %+v, want a whole run", code, d)
	}
	t.Logf("%s, exit %d %q", d.Verdict, code, d.Reasons)
}

func wholeRun(t *testing.T, m *machine) {
	r := m.fleet(t, "whole", 10)
	code, d := r.end(t)
	standing(t, code, d)
	counts(t, m, d, 10*rate)
	hosts := map[string]bool{}
	for _, member := range d.Members {
		hosts[member.Host] = true
	}
	if len(hosts) != 4 {
		t.Errorf("members %+v, want each in a pod of its own", d.Members)
	}
	pods := r.seen()
	if len(pods) != 4 {
		t.Errorf("%d pods, want 4, each once", len(pods))
	}
	for _, p := range pods {
		for _, v := range p.Spec.Volumes {
			if v.Projected != nil {
				t.Errorf("pod %s mounts %s: a token of the API", p.Name, v.Name)
			}
		}
	}
	if jobs, err := m.admin.BatchV1().Jobs(space).List(t.Context(), metav1.ListOptions{}); err != nil || len(jobs.Items) > 0 {
		t.Errorf("jobs %v, %v, want none left", jobs.Items, err)
	}
	if _, err := os.Stat(filepath.Join(r.out, "baseline.json")); err != nil {
		t.Errorf("a whole run left no baseline: %v", err)
	}
}

// A member that is moved away before all are ready costs nothing: its successor takes
// its place.
func evictedBefore(t *testing.T, m *machine) {
	m.limitPods(t, 3) // the fourth comes later
	defer m.limitPods(t, 100)
	r := m.fleet(t, "evicted-before", 10)
	until(t, 2*time.Minute, "three members are ready", func(context.Context) bool { return strings.Contains(r.talk.String(), "3 of 4 members are ready") })
	var moved corev1.Pod
	until(t, time.Minute, "the kubelet says that one of them runs", func(context.Context) (ok bool) {
		for _, i := range []string{"0", "1", "2", "3"} {
			if moved, ok = r.member(i); ok {
				return true
			}
		}
		return false
	})
	m.evict(t, moved)
	m.limitPods(t, 100) // the job's controller asks again within a minute, and sees the eviction then
	code, d := r.end(t)
	standing(t, code, d)
	counts(t, m, d, 10*rate)
	if n := len(r.seen()); n != 5 {
		t.Errorf("%d pods, want 4 and a successor", n)
	}
}

// lostOne evicts or kills a member in the middle of the load, and holds the verdict to
// what was allowed.
func lostOne(t *testing.T, m *machine, id string, maxLost int, lose func(t *testing.T, r *run)) (*run, *report.Document) {
	t.Helper()
	const seconds = 20
	r := m.fleet(t, id, seconds, "--max-lost", fmt.Sprint(maxLost))
	r.loaded(t)
	lose(t, r)
	code, d := r.end(t)
	if d == nil {
		t.Fatalf("exit %d and no document", code)
	}
	c := d.Runs[0].Result.Total(true, false).Counts
	all, distinct := m.server.requests()
	t.Logf("%s, exit %d, partial %v %q; merged %d, at the server %d, %d distinct, whole plan %d", d.Verdict, code, d.Partial, d.Reasons, c.Sent, all, distinct, seconds*rate)
	if code != exit.NoAnswer || !d.Partial || d.Verdict == report.Pass {
		t.Errorf("%s, exit %d, partial %v, want exit %d, and never a pass", d.Verdict, code, d.Partial, exit.NoAnswer)
	}
	if all != distinct {
		t.Errorf("%d requests came, %d distinct: a share was sent twice", all, distinct)
	}
	if c.Sent > int64(distinct) {
		t.Errorf("merged %d, at the server %d", c.Sent, distinct)
	}
	if maxLost == 0 && (d.Verdict != report.Invalid || distinct >= seconds*rate*3/4) {
		t.Errorf("%s, %d at the server, want INVALID and the load stopped", d.Verdict, distinct)
	}
	if maxLost == 1 && c.Sent < seconds*rate*3/4 {
		t.Errorf("merged %d, want at least the whole shares of three members, %d", c.Sent, seconds*rate*3/4)
	}
	if _, err := os.Stat(filepath.Join(r.out, "baseline.json")); err == nil {
		t.Error("a run that lost a member left a baseline")
	}
	return r, d
}

func evictOne(t *testing.T, r *run) {
	var pod corev1.Pod
	until(t, 10*time.Second, "the kubelet says that member 1 runs", func(context.Context) (ok bool) {
		pod, ok = r.member("1")
		return ok
	})
	r.m.evict(t, pod)
}

func evictedAfter(t *testing.T, m *machine) { lostOne(t, m, "evicted-after", 0, evictOne) }

func evictedAfterOneMayBeLost(t *testing.T, m *machine) {
	lostOne(t, m, "evicted-after-1", 1, evictOne)
}

// killed ends a member as the kernel does when memory is short.
func killed(t *testing.T, m *machine) {
	r, _ := lostOne(t, m, "killed", 1, func(t *testing.T, _ *run) {
		if err := exec.Command("sh", "-c", `for p in /proc/[0-9]*; do tr '\0' ' ' <$p/cmdline 2>/dev/null | grep -q -- '^/vitals run .*--member 1/4 ' && kill -KILL ${p#/proc/}; done; true`).Run(); err != nil {
			t.Fatal(err)
		}
	})
	if n := len(r.seen()); n != 4 {
		t.Errorf("%d pods, want 4: a member that has sent is not replaced", n)
	}
}

// missing is a barrier that one pod does not reach.
func missing(t *testing.T, m *machine) {
	m.limitPods(t, 3)
	r := m.fleet(t, "missing", 10, "--barrier", "20s")
	code, d := r.end(t)
	m.limitPods(t, 100)
	if code != exit.NoAnswer || d != nil || !strings.Contains(r.talk.String(), "3 of 4 members are ready, missing [") {
		t.Errorf("exit %d, want %d and the missing named", code, exit.NoAnswer)
	}
	if all, _ := m.server.requests(); all > 0 {
		t.Errorf("%d requests were sent", all)
	}
}

// stopped holds a run that was stopped from outside to what it must leave: no pod, no
// request after the last pod, and all that was sent in the sum.
func stopped(t *testing.T, m *machine, id string, stop func(t *testing.T, r *run)) (int, *report.Document) {
	t.Helper()
	r := m.fleet(t, id, 120)
	r.loaded(t)
	stop(t, r)
	code, d := r.end(t)
	all, distinct := m.server.requests()
	time.Sleep(2 * time.Second)
	after, _ := m.server.requests()
	if after != all || all != distinct || distinct >= 60*rate {
		t.Errorf("%d requests, %d distinct, %d two seconds after the last pod, want the load stopped", all, distinct, after)
	}
	if d != nil {
		c := d.Runs[0].Result.Total(true, false).Counts
		t.Logf("%s, exit %d %q; merged %d, at the server %d", d.Verdict, code, d.Reasons, c.Sent, all)
		if !d.Partial || d.Verdict == report.Pass {
			t.Errorf("%s, partial %v, want a partial run", d.Verdict, d.Partial)
		}
	}
	return code, d
}

func aborted(t *testing.T, m *machine) {
	code, d := stopped(t, m, "aborted", func(t *testing.T, r *run) {
		m.tool(t, m.vitals, "fleet", "abort", r.id, "--rendezvous-file", m.redis, "--reason", "by the test")
	})
	if code != exit.NoAnswer || d == nil || d.Verdict != report.Invalid || !strings.Contains(strings.Join(d.Reasons, "\n"), "by the test") {
		t.Errorf("exit %d, want INVALID with the reason", code)
	}
	sentIsMerged(t, m, d)
}

func interrupted(t *testing.T, m *machine) {
	code, d := stopped(t, m, "interrupted", func(t *testing.T, r *run) {
		if err := r.cmd.Process.Signal(syscall.SIGINT); err != nil {
			t.Fatal(err)
		}
	})
	if code != exit.Interrupted {
		t.Errorf("exit %d, want %d", code, exit.Interrupted)
	}
	sentIsMerged(t, m, d)
}

func sentIsMerged(t *testing.T, m *machine, d *report.Document) {
	t.Helper()
	if d == nil {
		t.Fatal("no document")
	}
	if all, _ := m.server.requests(); d.Runs[0].Result.Total(true, false).Counts.Sent != int64(all) {
		t.Errorf("merged %d, at the server %d", d.Runs[0].Result.Total(true, false).Counts.Sent, all)
	}
}

func deleted(t *testing.T, m *machine) {
	code, _ := stopped(t, m, "deleted", func(t *testing.T, r *run) {
		background := metav1.DeletePropagationBackground
		if err := m.admin.BatchV1().Jobs(space).Delete(t.Context(), r.id, metav1.DeleteOptions{PropagationPolicy: &background}); err != nil {
			t.Fatal(err)
		}
	})
	if code != exit.NoAnswer {
		t.Errorf("exit %d, want %d", code, exit.NoAnswer)
	}
}
