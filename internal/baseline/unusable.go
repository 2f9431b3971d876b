package baseline

import (
	"fmt"
	"slices"
	"strings"

	"vitals/internal/measure"
)

// leastP95 is how many answers a p95 needs: see enough.
const leastP95 = 1000

// Unusable says why nothing can be compared with these results: a sentence for each
// scenario that would gate and has no run that may be compared.
func Unusable(results []*measure.Result) []string {
	return From(About{}, results).unusable(Options{}.explain())
}

// SomeUnusable says that some of several runs of a scenario will be left out where they
// are compared, and why, a sentence for each scenario.
func SomeUnusable(results []*measure.Result) (out []string) {
	for _, sc := range From(About{}, results).Scenarios {
		one := File{Scenarios: []Scenario{sc}}
		n := 0
		for _, r := range sc.Runs {
			if !r.Valid {
				n++
			}
		}
		if n > 0 && n < len(sc.Runs) {
			_, why, _ := strings.Cut(one.InvalidRuns(), "left out (")
			out = append(out, fmt.Sprintf("%s: %d of %d runs will be left out of comparisons: %s", sc.Name, n, len(sc.Runs), strings.TrimSuffix(why, ")")))
		}
	}
	return out
}

// LeftOut says why scenarios of a file have no p95 that later runs could be held to, a
// sentence for each.
func (f *File) LeftOut() []string { return f.unusable(nil) }

// unusable is the same of a file, in the words in which it is refused; nil when it is fit.
func (f *File) unusable(explain []string) (out []string) {
	for i := range f.Scenarios {
		sc := &f.Scenarios[i]
		if why := sc.unusable(); why != "" && !slices.Contains(explain, sc.Name) {
			out = append(out, sc.Name+": "+why)
		}
	}
	return out
}

// unusable is why no run of the scenario may be compared by its p95, which gates every
// load; "" when one may.
func (sc *Scenario) unusable() string {
	var why []string
	var most int64
	valid := 0
	for i := range sc.Runs {
		r := &sc.Runs[i]
		if !r.Valid {
			if !slices.Contains(why, r.Invalid) {
				why = append(why, r.Invalid)
			}
			continue
		}
		valid++
		if most = max(most, r.whole().N()); most >= leastP95 {
			return ""
		}
	}
	switch {
	case len(sc.Runs) == 0:
		return ""
	case valid == 0:
		return "no valid run: " + strings.Join(why[:min(len(why), mostReasons)], "; ")
	}
	return fmt.Sprintf("a p95 needs %d answers in a run, and at most %d were served", leastP95, most)
}

// refused are why the sides of a comparison cannot be compared, where they cannot.
func refused(old, new *File, explain []string) (out []string) {
	for _, why := range old.unusable(explain) {
		out = append(out, "the old file cannot be a baseline: "+why)
	}
	for _, why := range new.unusable(explain) {
		out = append(out, "the new file cannot be compared: "+why)
	}
	return out
}
