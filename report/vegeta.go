package report

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"sort"
	"strings"
	"time"

	vegeta "github.com/tsenart/vegeta/v12/lib"

	"vitals/internal/measure"
)

// Vegeta renders the judged windows as results in vegeta's own encoding, an attack
// for each scenario. The document keeps distributions and not single requests:
// counts, codes and latencies (from the due time) are the run's, the order in time
// is not, so that the requests are spread evenly and mixed over the window.
func Vegeta(w io.Writer, d *Document) error {
	enc := vegeta.NewEncoder(w)
	for i := range d.Runs {
		if err := results(d.Runs[i].Result, enc); err != nil {
			return fmt.Errorf("write vegeta's results: %w", err)
		}
	}
	return nil
}

// alike is a number of requests of one step that had the same code and latency.
type alike struct {
	step    *measure.StepResult
	code    uint16
	latency time.Duration
	upTo    int64 // how many there are until the last of these
}

func results(r *measure.Result, enc vegeta.Encoder) error {
	var all []alike
	n := int64(0)
	steps := r.Steps(true)
	for i := range steps {
		if steps[i].Step.Intruder {
			continue
		}
		if err := spread(&steps[i], func(a alike, times int64) {
			n += times
			a.upTo = n
			all = append(all, a)
		}); err != nil {
			return err
		}
	}
	from := time.Duration(0)
	if at := slices.IndexFunc(r.Phases, func(p measure.PhaseResult) bool { return p.Judged }); at >= 0 {
		from = r.Phases[at].From
	}
	stride := coprime(n)
	for i := range n {
		j := i * stride % n
		a := all[sort.Search(len(all), func(k int) bool { return all[k].upTo > j })]
		res := vegeta.Result{
			Attack: r.Scenario, Seq: uint64(i), Code: a.code, Latency: a.latency,
			Timestamp: r.Began.Add(from + time.Duration(float64(r.Window)*float64(i)/float64(n))),
			BytesIn:   uint64(a.step.Counts.Bytes / max(1, a.step.Counts.Sent)),
			URL:       "step:" + strings.ReplaceAll(a.step.Step.Name, " ", "_"),
		}
		switch {
		case a.code == 0:
			res.Error = "no whole answer"
		case a.code < 200 || a.code >= 400:
			res.Error = fmt.Sprint("status ", a.code)
		}
		if err := enc.Encode(&res); err != nil {
			return err
		}
	}
	return nil
}

// coprime is a stride through n places that comes to each once: near the golden
// section, so that neighbours in value lie far apart in time.
func coprime(n int64) int64 {
	gcd := func(a, b int64) int64 {
		for b != 0 {
			a, b = b, a%b
		}
		return a
	}
	s := max(1, int64(float64(n)*0.618))
	for gcd(s, max(1, n)) != 1 {
		s++
	}
	return s
}

// spread gives every latency of a step a code: to what was served those below 400
// first, to what was refused 429 and 503, to what failed the rest, and none where
// there was no answer.
func spread(s *measure.StepResult, add func(alike, int64)) error {
	left := maps.Clone(s.Codes)
	for _, part := range []struct {
		h      *measure.Histogram
		prefer func(code int) bool
	}{
		{s.Response, func(c int) bool { return c < 400 }},
		{s.Refusal, func(c int) bool { return c == 429 || c == 503 }},
		{s.Failure, func(int) bool { return true }},
	} {
		if part.h.N() == 0 {
			continue
		}
		h, err := dense(part.h)
		if err != nil {
			return err
		}
		codes := slices.SortedFunc(maps.Keys(left), func(a, b int) int {
			rank := func(c int) int {
				if part.prefer(c) {
					return 0
				}
				return 1
			}
			return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(a, b))
		})
		for _, bar := range h.Distribution() {
			for n := bar.Count; n > 0; {
				code := 0
				for _, c := range codes {
					if left[c] > 0 {
						code = c
						break
					}
				}
				times := n
				if code != 0 {
					times = min(n, left[code])
					left[code] -= times
				}
				n -= times
				add(alike{step: s, code: uint16(code), latency: time.Duration(bar.To) * time.Microsecond}, times)
			}
		}
	}
	return nil
}
