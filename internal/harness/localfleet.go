package harness

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"time"

	"vitals/internal/exit"
	"vitals/internal/fleet"
	"vitals/internal/stack"
	"vitals/internal/stack/local"
	"vitals/report"
	"vitals/scenarios"
)

// RunLocal carries a plan out with child processes of this machine as members,
// for rehearsals and CI. The system is the plan's; each member sends its share,
// and the sum is judged. More than l.MaxLost members that end badly end the run. The
// folder Options.Out gets what a run leaves, and members/I with each member's own.
// With l.Rendezvous the members meet there, as RunLed says; without, they begin at
// an instant that they are given.
func RunLocal(drain, kill context.Context, p *Plan, l Lead, s Streams) (doc *report.Document, err error) {
	if len(p.scenarios) != 1 {
		return nil, exit.Errorf(exit.Usage, "a run of several members is of one scenario, %d are named", len(p.scenarios))
	}
	release, err := stack.Output(p.o.Out)
	if err != nil {
		return nil, exit.With(exit.Usage, err)
	}
	defer func() { _ = release() }()
	defer p.unmeasured(&doc, &err)
	st, err := p.starter(s).Start(drain)
	if err != nil {
		return nil, startError(drain, err)
	}
	defer closeStack(st, s)
	folder, err := stack.NewFolder("fleet", false) // swept by the next run, should this one be killed
	if err != nil {
		return nil, exit.With(exit.NoSystem, err)
	}
	defer folder.Remove()
	accounts, err := writeAccounts(folder.Path, st)
	if err != nil {
		return nil, exit.With(exit.NoSystem, err)
	}

	f := &localFleet{p: p, st: st, accounts: accounts, members: l.Members, maxLost: l.MaxLost, talk: s.Err, start: time.Now().Add(p.startLead(l.Members))}
	if l.Rendezvous != "" {
		return f.led(drain, kill, l, s)
	}
	for i := range f.members { // what an earlier run's left is not theirs
		if err := forget(f.dir(i), "document.json"); err != nil {
			return nil, exit.With(exit.NoAnswer, err)
		}
	}
	dirs, lost := f.run(drain, kill)
	if len(dirs) == 0 && lost == nil {
		return nil, exit.Errorf(exit.Interrupted, "interrupted before the load began: nothing was measured")
	}
	if len(dirs) == 0 {
		return nil, exit.Errorf(exit.NoAnswer, "no member left a result: %w", lost)
	}
	d, err := mergeDirs(dirs, l.Members)
	if err != nil {
		return nil, exit.With(exit.NoAnswer, err)
	}
	d.Command = p.o.Command
	if lost != nil {
		d.Reasons = append([]string{lost.Error()}, d.Reasons...)
	}
	if drain.Err() != nil {
		d.Partial, d.Exit = true, exit.Interrupted
	}
	if err := writeMerged(p.o.Out, d); err != nil {
		return d, err
	}
	if err := report.Ended(s.Out, d, p.o.Out); err != nil {
		return d, exit.Errorf(exit.NoAnswer, "print the report: %w", err)
	}
	return d, nil
}

// startLead is how long the members have to come up and sign their users in, which
// costs the system a password hash each.
func (p *Plan) startLead(members int) time.Duration {
	lead := 10*time.Second + time.Duration(members)*time.Second
	if p.SignsIn() {
		lead += min(30*time.Second, time.Duration(scenarios.Needed(p.o.Pace, p.scenarios...))*100*time.Millisecond)
	}
	return lead
}

// writeAccounts keeps the stack's accounts for the members, readable by this user
// alone.
func writeAccounts(dir string, st *stack.Stack) (string, error) {
	name := filepath.Join(dir, "accounts.csv")
	f, err := os.OpenFile(name, os.O_CREATE|os.O_WRONLY|os.O_EXCL, 0o600)
	if err != nil {
		return "", fmt.Errorf("hand the accounts to the members: %w", err)
	}
	w := csv.NewWriter(f)
	_ = w.Write([]string{"email", "password"}) // Error below has the first
	for _, a := range st.Accounts {
		_ = w.Write([]string{a.Email, a.Password})
	}
	w.Flush()
	if err := errors.Join(w.Error(), f.Close()); err != nil {
		return "", fmt.Errorf("hand the accounts to the members: %w", err)
	}
	return name, nil
}

// localFleet are the members as child processes.
type localFleet struct {
	p                *Plan
	st               *stack.Stack
	accounts         string
	members, maxLost int
	talk             io.Writer
	start            time.Time

	mu   sync.Mutex
	lost []error
}

// run waits for every member and gives the folders of those that left a document.
func (f *localFleet) run(drain, kill context.Context) (dirs []string, lost error) {
	drain, stop := context.WithCancel(drain)
	defer stop()
	var all sync.WaitGroup
	fmt.Fprintf(f.talk, "%d members begin at %s\n", f.members, f.start.Format("15:04:05"))
	for i := range f.members {
		all.Go(func() {
			err := f.member(drain, kill, i)
			if err == nil || drain.Err() != nil {
				return
			}
			f.mu.Lock()
			defer f.mu.Unlock()
			f.lost = append(f.lost, fmt.Errorf("member %d was lost: %w", i, err))
			fmt.Fprintln(f.talk, f.lost[len(f.lost)-1])
			if len(f.lost) > f.maxLost {
				stop()
			}
		})
	}
	all.Wait()
	for i := range f.members {
		if _, err := os.Stat(filepath.Join(f.dir(i), "document.json")); err == nil {
			dirs = append(dirs, f.dir(i))
		}
	}
	return dirs, errors.Join(f.lost...)
}

// member runs one member to its end. It is asked to stop when drain ends, so that
// it keeps what it measured.
func (f *localFleet) member(drain, kill context.Context, i int) error {
	cmd := exec.CommandContext(kill, f.p.o.Binary, f.args(i, "--start-at", f.start.UTC().Format(time.RFC3339Nano))...)
	cmd.Stdout, cmd.Stderr = io.Discard, &lines{w: f.talk, prefix: fmt.Sprintf("member %d: ", i)}
	child, err := local.StartAsking(cmd)
	if err != nil {
		return err
	}
	select {
	case <-drain.Done():
		_ = cmd.Process.Signal(syscall.SIGINT) // it may have ended meanwhile
	case <-child.Done():
	}
	if <-child.Done(); child.Code() != 0 {
		return errors.New(cmd.ProcessState.String())
	}
	return nil
}

// dir is where member i leaves what it measured.
func (f *localFleet) dir(i int) string {
	return filepath.Join(f.p.o.Out, "members", strconv.Itoa(i))
}

// args are member i's, and more.
func (f *localFleet) args(i int, more ...string) []string {
	o := &f.p.o
	system := *o
	system.URL, system.AllowProduction = f.st.URL.String(), o.AllowProduction || f.st.Kind != "url"
	args := append([]string{"run"}, system.MemberArgs(o.Scenarios[0], o.Targets, o.Profile)...)
	if len(f.st.Accounts) > 0 { // else nobody signs in
		args = append(args, "--accounts", f.accounts)
	}
	args = append(args, "--member", fleet.Member{Index: i, Of: f.members}.String(), "--out", f.dir(i))
	if f.st.Metrics != nil && i == 0 { // one of them is enough to see what the system feels
		args = append(args, "--metrics", f.st.Metrics.String(), "--cores", strconv.FormatFloat(f.st.Cores, 'g', -1, 64))
	}
	return append(args, more...)
}

// lines writes whole lines, each with a prefix: several members speak at once.
type lines struct {
	w      io.Writer
	prefix string
	rest   []byte
}

func (l *lines) Write(p []byte) (int, error) {
	l.rest = append(l.rest, p...)
	for {
		i := -1
		for n, c := range l.rest {
			if c == '\n' {
				i = n
				break
			}
		}
		if i < 0 {
			return len(p), nil
		}
		if _, err := fmt.Fprintf(l.w, "%s%s\n", l.prefix, l.rest[:i]); err != nil {
			return len(p), nil // talk that cannot be heard ends no run
		}
		l.rest = l.rest[i+1:]
	}
}
