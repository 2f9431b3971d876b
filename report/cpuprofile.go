package report

import (
	"strconv"
	"strings"
	"time"

	"vitals/internal/baseline"
	"vitals/internal/measure"
)

// fewSamples is below how many samples a share of a profile is rough: one of 10% is then
// known to within 6 points.
const fewSamples = 100

// profiled is where a run's CPU profile comes from, or why there is none; "" where
// none was asked for.
func profiled(r *Run) string {
	p := r.Result.CPUProfile
	switch {
	case p == nil:
		return ""
	case p.None != "":
		return "no CPU profile was taken when " + p.Target + " was being lost, at " + took(time.Duration(p.At)) + ": " + p.None
	}
	words := took(time.Duration(p.CPU)) + " of processor time (" + plural64(p.Samples, "sample")
	if p.Samples < fewSamples {
		words += ", so few that the shares are rough"
	}
	words += ") in " + took(time.Duration(p.Took)) + " from " + took(time.Duration(p.At)) + ", when " + p.Target + " was being lost"
	if p.File != "" {
		words += "; the whole of it: go tool pprof " + p.File
	}
	return words + "; being profiled cost the system some of its processor meanwhile (about 3%)"
}

// hot are the functions that took the most processor time.
func hot(r *Run) grid {
	g := grid{title: "where the system's processor time went", cols: []column{{title: "function", words: true}, {title: "own"}, {title: "in all"}}}
	if p := r.Result.CPUProfile; p != nil {
		for _, f := range p.Functions {
			g.rows = append(g.rows, []string{shortName(f.Name), percent(f.Own), percent(f.Whole)})
		}
	}
	return g
}

// hottest is the one function that explains most, in words; "" without a profile.
func hottest(p *measure.CPUProfile) string {
	if p == nil || len(p.Functions) == 0 {
		return ""
	}
	f := p.Functions[0]
	words := percent(f.Own) + " of the system's processor time went into " + shortName(f.Name) + " while " + p.Target + " was being lost"
	if p.File != "" {
		words += " (" + p.File + ")"
	}
	return words
}

// shortName is a function without the folders of its package.
func shortName(name string) string {
	head, types, generic := strings.Cut(name, "[")
	head = head[strings.LastIndexByte(head, '/')+1:]
	if generic {
		return head + "[" + types
	}
	return head
}

// shifted are the functions whose share of the processor time differs most between two
// files' profiles.
func shifted(c *baseline.Comparison) grid {
	g := grid{title: "where the processor time went, by both profiles", cols: []column{
		{title: "scenario", words: true}, {title: "function", words: true}, {title: "old"}, {title: "new"}, {title: "difference"},
	}}
	for _, p := range c.Profiles {
		for i, f := range p.Functions {
			scenario := ""
			if i == 0 {
				scenario = p.Scenario
			}
			g.rows = append(g.rows, []string{scenario, shortName(f.Name), bounded(f.Old, f.OldAtMost), bounded(f.New, f.NewAtMost), points(f.New - f.Old)})
		}
	}
	return g
}

func bounded(share float64, atMost bool) string {
	if atMost {
		return "≤ " + percent(share)
	}
	return percent(share)
}

// points is the signed difference of two shares.
func points(d float64) string {
	text := strconv.FormatFloat(100*d, 'f', 1, 64) + " pp"
	if d > 0 {
		return "+" + text
	}
	return text
}
