package duet

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"vitals/internal/atomicfile"
	"vitals/internal/baseline"
	"vitals/internal/baseline/stats"
)

// Qualification is what one build against itself showed on one kind of machine:
// the noise that a gate there has to see through.
type Qualification struct {
	Class string    `json:"env_class"`
	Duets []AADuet  `json:"duets"` // oldest first
	path  string    // where it was read
	now   time.Time // that ages are counted from
}

// AADuet is one duet of a build with itself.
type AADuet struct {
	At     time.Time            `json:"at"`
	Ref    string               `json:"ref"`
	Ratios map[string][]float64 `json:"ratios"` // "normal p95" → log ratio of each pair
	Alarms []string             `json:"alarms,omitempty"`
}

// How long a qualification lets a gate fail, and how long its pairs serve as
// history.
const (
	Valid    = 30 * 24 * time.Hour
	priorAge = 90 * 24 * time.Hour
)

// ReadQualification reads the qualification of an environment class from a
// folder; one that was never qualified is empty.
func ReadQualification(dir, class string, now time.Time) (*Qualification, error) {
	q := &Qualification{Class: class, path: filepath.Join(dir, "qualification-"+class+".json"), now: now}
	text, err := os.ReadFile(q.path)
	if errors.Is(err, fs.ErrNotExist) {
		return q, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the qualification: %w", err)
	}
	if err := json.Unmarshal(text, q); err != nil {
		return nil, fmt.Errorf("read the qualification %s: %w", q.path, err)
	}
	if q.Class != class {
		return nil, fmt.Errorf("read the qualification %s: it is of environment class %s", q.path, q.Class)
	}
	return q, nil
}

// Add keeps one more duet of a build with itself.
func (q *Qualification) Add(d AADuet) error {
	q.Duets = append(q.Duets, d)
	if err := os.MkdirAll(filepath.Dir(q.path), 0o755); err != nil {
		return fmt.Errorf("keep the qualification: %w", err)
	}
	return atomicfile.Write(q.path, func(w io.Writer) error {
		e := json.NewEncoder(w)
		e.SetIndent("", "  ")
		return e.Encode(q)
	})
}

// Refused is why a gate may not fail a build here; "" when it may.
func (q *Qualification) Refused() string {
	if len(q.Duets) == 0 {
		return "no qualification of this machine (environment class " + q.Class + "): run vitals duet --qualify"
	}
	if age := q.now.Sub(q.Duets[len(q.Duets)-1].At); age > Valid {
		return fmt.Sprintf("the qualification of this machine is %.0f days old, more than 30: run vitals duet --qualify", age.Hours()/24)
	}
	if len(q.Smallest(stats.DefaultLooks())) == 0 {
		return "too few valid pairs to say what this machine can see, at least 6 are needed: run vitals duet --qualify once more"
	}
	return ""
}

// ratios are those of recent duets of one figure.
func (q *Qualification) ratios(name string) (out [][]float64) {
	for _, d := range q.Duets {
		if r := d.Ratios[name]; len(r) >= 2 && q.now.Sub(d.At) <= priorAge {
			out = append(out, r)
		}
	}
	return out
}

// Prior is what the recent duets say about the spread of a figure; nil when
// that is too little.
func (q *Qualification) Prior(scenario, metric string) *stats.Prior {
	return stats.NewPrior(q.ratios(scenario + " " + metric)...)
}

// Smallest is the smallest relative change of each figure that a gate with
// these looks may fail on: what the last look finds with 80 % power.
func (q *Qualification) Smallest(looks stats.Looks) map[string]float64 {
	out := map[string]float64{}
	for _, d := range q.Duets {
		for name := range d.Ratios {
			if p := stats.NewPrior(q.ratios(name)...); p != nil {
				out[name] = math.Expm1(stats.MDE(p.Variance, looks.Max(), 0, looks.Alpha()))
			}
		}
	}
	return out
}

// TooFine names the gating figures whose tolerance is below half of what a gate
// here can see.
func (q *Qualification) TooFine(looks stats.Looks, opt baseline.Options) (out []string) {
	for name, s := range q.Smallest(looks) {
		scenario, metric, _ := strings.Cut(name, " ")
		if t := opt.ToleranceOf(metric); opt.Gates(scenario, metric) && t < s/2 {
			out = append(out, fmt.Sprintf("%s: tolerance %.1f %%, and the smallest change that can be seen here is %.1f %%", name, 100*t, 100*s))
		}
	}
	slices.Sort(out)
	return out
}

// qualify gives the comparison what is known of this machine.
func (d *duet) qualify(first *baseline.File) error {
	if d.slots > 0 {
		return nil
	}
	if d.o.Qualified == nil {
		if d.o.Fixed {
			d.gate = &baseline.Gate{Unfit: "it was one build against itself, to qualify the machine"}
		}
		return nil
	}
	q, err := d.o.Qualified(Class(first))
	if err != nil {
		return err
	}
	if d.unfit = q.Refused(); d.unfit != "" {
		d.gate = &baseline.Gate{Unfit: d.unfit}
		return nil
	}
	d.o.Compare.Prior, d.o.Compare.Smallest = q.Prior, q.Smallest(d.o.Looks)
	d.gate = &baseline.Gate{Smallest: d.o.Compare.Smallest, Prior: map[string]*stats.Prior{}}
	for name := range d.gate.Smallest {
		scenario, metric, _ := strings.Cut(name, " ")
		d.gate.Prior[name] = q.Prior(scenario, metric)
	}
	if fine := q.TooFine(d.o.Looks, d.o.Compare); len(fine) > 0 {
		return &TooFine{fine}
	}
	return nil
}

// TooFine is a gate that was asked for less than it can see here: it would
// answer by luck.
type TooFine struct{ Figures []string }

func (e *TooFine) Error() string {
	return "this machine is too noisy for the tolerance:\n  " + strings.Join(e.Figures, "\n  ")
}
