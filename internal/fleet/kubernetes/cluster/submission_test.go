package cluster

import (
	"strings"
	"testing"
	"time"

	"vitals/internal/fleet/kubernetes"
	"vitals/internal/harness"
)

func planOf(t *testing.T, scenario, url string, own ...string) *harness.Plan {
	t.Helper()
	p, err := harness.Fleet{Engine: "kubernetes", Lead: harness.Lead{Run: "peak-1", Members: 2}, Options: harness.Options{
		Scenarios: []string{scenario}, Targets: "production", Pace: "quick", URL: url, Own: own, Replicas: 1, ReadOnly: true,
	}}.Read()
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// What is rendered is what a run submits, and what would fail in the pods is refused
// here, all of it at once.
func TestRenderRefusesWhatPodsCannotDo(t *testing.T) {
	sub := Submission{Job: kubernetes.Job{Image: "example.org/vitals:1", Meeting: "meeting", Accounts: "accounts", CPUs: 1, Deadline: time.Hour}}
	lead := harness.Lead{Run: "Peak-1", Members: 2}
	text, err := sub.Render(planOf(t, "peak", "https://staging.example.org", "staging.example.org"), lead)
	if err != nil || !strings.Contains(string(text), "name: peak-1\n") || !strings.Contains(string(text), "--run-id\n        - Peak-1\n") {
		t.Errorf("got %v and\n%s", err, text)
	}
	sub.Job.Accounts, lead.Run = "", "peak_1"
	for url, want := range map[string]string{
		"":                            "name it with --url",
		"http://127.0.0.1:8000":       "in a pod that is the pod itself",
		"http://localhost:8000":       "in a pod that is the pod itself",
		"http://[::1]:8000":           "in a pod that is the pod itself",
		"https://staging.example.org": "--i-own staging.example.org",
	} {
		_, err := sub.Render(planOf(t, "peak", url), lead)
		for _, want := range []string{want, "--accounts-secret", `"peak_1"`} {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: got %v, want %q in it", url, err, want)
			}
		}
	}
}
