package harness

import (
	"testing"

	"vitals/report"
)

func TestJobURL(t *testing.T) {
	for want, env := range map[string]map[string]string{
		"":                                      {"CI": "true"},
		"https://github.com/o/r/actions/runs/7": {"GITHUB_SERVER_URL": "https://github.com", "GITHUB_REPOSITORY": "o/r", "GITHUB_RUN_ID": "7"},
		"https://gitlab.example.org/g/p/-/jobs/9": {"CI_JOB_URL": "https://user:secret@gitlab.example.org/g/p/-/jobs/9?token=secret"},
		"http://jenkins:8080/job/nightly/3/":      {"BUILD_URL": "http://jenkins:8080/job/nightly/3/"},
	} {
		if got := jobURL(func(name string) string { return env[name] }); got != want {
			t.Errorf("%v: got %q, want %q", env, got, want)
		}
	}
}

// A baseline says what job made it, and how fast the machine was meanwhile.
func TestBaselineNamesItsJob(t *testing.T) {
	t.Setenv("GITHUB_SERVER_URL", "")
	t.Setenv("CI_JOB_URL", "https://gitlab.example.org/g/p/-/jobs/9")
	d := &report.Document{}
	probe(d)
	probe(d)
	f := Baseline(d)
	if f.Session.JobURL != "https://gitlab.example.org/g/p/-/jobs/9" {
		t.Errorf("got job %q", f.Session.JobURL)
	}
	if len(f.Session.Canary) != 2 || f.Session.Canary[0].NSPerUnit <= 0 || f.Session.Canary[1].At.Before(f.Session.Canary[0].At) {
		t.Errorf("got canary %+v", f.Session.Canary)
	}
}
