package harness

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"

	"vitals/internal/exit"
	"vitals/internal/fleet"
	"vitals/report"
)

// Fleet is what is asked of `vitals fleet run`: one scenario, several members.
type Fleet struct {
	Options Options
	Lead    Lead
	Engine  string                            // who starts the members: local, kubernetes or none
	Submit  func(*Plan, Lead) (Engine, error) // makes the engine of kubernetes; its errors carry an exit code
	Because string                            // one of fleet.Because; with local
}

// Read checks what is asked, and tells all that is wrong with it.
func (f Fleet) Read() (*Plan, error) {
	f.Options.Leads = f.Engine != "local"
	err := f.check()
	p, readErr := Read(f.Options)
	return p, errors.Join(err, readErr)
}

// Run checks what is asked, and carries it out.
func (f Fleet) Run(drain, kill context.Context, s Streams) (*report.Document, error) {
	p, err := f.Read()
	if err != nil {
		return nil, exit.With(exit.Usage, err)
	}
	if f.Engine == "kubernetes" {
		if f.Lead.Engine, err = f.Submit(p, f.Lead); err != nil {
			return nil, err
		}
	}
	if f.Engine != "local" {
		return RunLed(drain, kill, p, f.Lead, s)
	}
	if f.Lead.Run == "" {
		f.Lead.Run = "local-" + strings.ToLower(rand.Text()[:8])
	}
	return RunLocal(drain, kill, p, f.Lead, s)
}

func (f Fleet) check() error {
	var errs []error
	l := f.Lead
	switch f.Engine {
	case "local":
		if !slices.Contains(fleet.Because, f.Because) {
			errs = append(errs, fmt.Errorf("processes of one machine send no more than one of them: say --because %s", strings.Join(fleet.Because, "|")))
		}
	case "none":
		if l.Rendezvous == "" {
			errs = append(errs, errors.New("--engine none leads the members over a rendezvous: name the file with its URL (--rendezvous-file)"))
		}
	default:
		if f.Engine != "kubernetes" {
			errs = append(errs, fmt.Errorf("--engine %s: want local, kubernetes or none", f.Engine))
		}
	}
	if l.Run == "" && f.Engine != "local" {
		errs = append(errs, errors.New("no run id: give the members and this command the same, new one (--run-id)"))
	}
	if l.Rendezvous != "" && l.Barrier <= 0 {
		errs = append(errs, fmt.Errorf("--barrier %s: want a time, as in 10m", l.Barrier))
	}
	if l.Members < 1 {
		errs = append(errs, fmt.Errorf("--workers %d: want at least 1", l.Members))
	}
	if l.MaxLost < 0 || l.MaxLost >= max(1, l.Members) {
		errs = append(errs, fmt.Errorf("--max-lost %d: want 0 to %d", l.MaxLost, max(0, l.Members-1)))
	}
	return errors.Join(errs...)
}
