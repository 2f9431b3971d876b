package harness

import (
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"

	"vitals/internal/baseline"
	"vitals/internal/exit"
	"vitals/internal/load"
	"vitals/internal/machine"
	"vitals/internal/measure"
	"vitals/internal/stack"
	"vitals/report"
	"vitals/scenarios"
)

// result puts together what one run measured.
func result(sc *scenarios.Scenario, o Options, out *load.Outcome, f measure.Finished) *measure.Result {
	shape := sc.At(o.Pace)
	r := &measure.Result{
		Schema: report.Schema, Scenario: sc.Name, Pace: o.Pace, Model: string(shape.Model), Seed: o.Seed, Hash: sc.SHA256,
		Began: out.Began.UTC(), Took: out.Took, Window: window(f.Phases, out.Took), Client: out.Client,
		Phases: f.Phases, Series: f.Series, Slowest: f.Slowest, Failures: f.Failures,
		Health: out.Health, Notes: slices.Clone(out.Notes), Partial: out.Partial, EndedBy: out.EndedBy, EndedEarly: out.EndedEarly,
	}
	r.Failures = append(r.Failures, out.Failures...)
	if f.Unserved.Failed+f.Unserved.Refused > 0 {
		r.Unserved = &f.Unserved
	}
	if f.Outside > 0 {
		r.Notes = append(r.Notes, count(int(f.Outside), "request")+" due outside every phase: in the series, and in no figure")
	}
	return r
}

// window is the length of the judged phases as far as the run got: a run that
// ended early must not divide by the time it did not take.
func window(phases []measure.PhaseResult, took time.Duration) (sum time.Duration) {
	for _, p := range phases {
		if p.Judged {
			sum += max(0, min(p.To, took)-min(p.From, took))
		}
	}
	return sum
}

// notes are what a reader of the figures must know.
func (ses *session) notes(sc *scenarios.Scenario, shape scenarios.Load) []string {
	out := slices.Clone(ses.p.notes[sc])
	if shape.SignIn == scenarios.Before {
		out = append(out, fmt.Sprintf("users are signed in before the measured window and keep their sessions across scenarios; %d are signed in", ses.sessions.Live()))
	}
	if shape.Share > 1 {
		out = append(out, fmt.Sprintf("each signed-in account is shared by up to %d users", shape.Share))
	}
	if sc.Accounts.Requests > 0 {
		out = append(out, fmt.Sprintf("an account makes at most %d requests, then the next takes its place: the production limits are met, not raised", sc.Accounts.Requests))
	}
	return out
}

// limits picks the settings that a verdict on load or lockout leans on.
func limits(settings []stack.Setting) []report.Limit {
	var out []report.Limit
	for _, s := range settings {
		for _, prefix := range []string{"RATE_LIMIT_", "ACCOUNT_THROTTLE_", "LOGIN_SLOT_WAIT", "HASH_", "ARGON2_", "MAX_IN_FLIGHT", "DB_POOL_SIZE", "DB_MAX_OVERFLOW"} {
			if strings.HasPrefix(s.Name, prefix) {
				out = append(out, report.Limit{Name: s.Name, Value: s.Value})
				break
			}
		}
	}
	return out
}

// Baseline is the session as a baseline, for the next version to be compared with.
func Baseline(d *report.Document) *baseline.File {
	hard := map[string]any{
		"cpu_model": d.Machine.CPU, "vcpu": d.Machine.Cores, "arch": d.Machine.Arch, "os": d.Machine.OS,
		"mem_gib": (d.Machine.MemMiB + 512) / 1024, "kernel_mm": machine.Minor(d.Machine.Kernel),
		"stack": d.Stack.Kind, "database": d.Stack.Info["database"], "db_digest": d.Stack.Images["postgres"],
		"generator_placement": placement(d.Stack.Kind), "document_schema": report.Schema,
	}
	if n := len(d.Members); n > 0 { // more machines are another instrument
		hard["members"] = n
	}
	for _, l := range d.Limits { // a field each, so that a comparison names the one that differs
		hard["limit "+l.Name] = l.Value
	}
	about := baseline.About{
		Subject: baseline.Subject{GitRev: d.Subject.GitRev, Dirty: d.Subject.Dirty, Binary: d.Subject.SHA256, Image: d.Stack.Images["api"], Ref: deployment(d.Stack)},
		Env: baseline.Env{
			Hard: hard,
			Soft: map[string]any{"kernel": d.Machine.Kernel, "go_version": runtime.Version(), "tool": d.Tool},
		},
		Session: baseline.Session{Started: d.Created, Note: d.Note, Flags: shared(d.Command), JobURL: jobURL(os.Getenv), Canary: d.Canary},
	}
	var results []*measure.Result
	for _, r := range d.Runs {
		if !r.Result.Partial { // half a run is no baseline
			results = append(results, r.Result)
		}
	}
	f := baseline.From(about, results)
	f.Design.Planned = max(f.Design.Planned, d.Repeat, 1)
	if d.Partial {
		f.Design.Ended = "ended before its end"
		if d.Exit == exit.Interrupted {
			f.Design.Ended = "interrupted"
		}
	}
	return f
}

// deployment is how a duet finds a system that is not ours to start; "" of one that is.
func deployment(s report.Stack) string {
	if s.Kind == "url" {
		return s.URL
	}
	return ""
}

// forDuets are the flags of a run that a duet of the same needs as well; those of the
// stack itself and of the builds are another matter.
var forDuets = []string{"--profile", "--accounts", "--targets", "--i-own", "--metrics", "--cores", "--set", "--postgres-image", "--redis-image"}

// shared picks them from a command, each followed by its value.
func shared(command []string) (out []string) {
	for i, word := range command {
		name, value, joined := strings.Cut(word, "=")
		switch {
		case word == "--allow-production", word == "--forwarded":
			out = append(out, word)
		case !slices.Contains(forDuets, name):
		case joined:
			out = append(out, name, value)
		case i+1 < len(command):
			out = append(out, name, command[i+1])
		}
	}
	return out
}

func placement(kind string) string {
	if kind == "url" {
		return "apart"
	}
	return "beside the system under test"
}
