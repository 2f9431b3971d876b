package harness

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"vitals/internal/exit"
	"vitals/internal/fleet"
	"vitals/internal/fleet/rendezvous"
	"vitals/internal/intruders"
	"vitals/internal/measure"
	"vitals/internal/stack"
	"vitals/report"
	"vitals/scenarios"
)

// barrier is how long a member waits for the controller and for the others.
const barrier = 10 * time.Minute

// member is this process's place among those that share one run.
type member struct {
	fleet.Member
	startAt time.Time // of Options.StartAt; zero = by itself, or as the rendezvous says
	meeting *rendezvous.Meeting
	info    fleet.Info

	seat  *rendezvous.Seat
	begun time.Time
	stop  func(why error) // ends the load
	leave func()          // ends what says that this member lives
}

// readMember reads what the options say of sharing a run.
func (p *Plan) readMember() (*member, error) {
	o := &p.o
	if o.Member == "" {
		if o.StartAt != "" || o.Rendezvous != "" && !o.Leads {
			return nil, errors.New("--start-at and --rendezvous-file are for members: say which with --member I/N")
		}
		return nil, nil
	}
	var errs []error
	m := &member{leave: func() {}, stop: func(error) {}}
	var err error
	m.Member, err = fleet.ParseMember(o.Member)
	errs = append(errs, err)
	if o.StartAt != "" {
		if m.startAt, err = time.Parse(time.RFC3339Nano, o.StartAt); err != nil {
			errs = append(errs, fmt.Errorf("--start-at %q: want a time such as 2026-01-31T15:04:05Z", o.StartAt))
		}
	}
	if o.StartAt == "" && o.Rendezvous == "" && m.Of > 1 {
		errs = append(errs, fmt.Errorf("--member %s: the members begin at one instant, or their sum is no load that ever was: give all of them the same --start-at, or --rendezvous-file", m.Member))
	}
	if o.StartAt != "" && o.Rendezvous != "" {
		errs = append(errs, errors.New("--start-at and --rendezvous-file exclude each other: who leads the members says when they begin"))
	}
	if o.Once {
		errs = append(errs, errors.New("--member and --once exclude each other: once is not a load that could be shared"))
	}
	if o.URL == "" {
		errs = append(errs, errors.New("--member shares the load on a deployment that is there: name it with --url"))
	}
	if len(p.scenarios) != 1 {
		errs = append(errs, fmt.Errorf("--member runs one scenario, %d are named", len(p.scenarios)))
	}
	if o.Rendezvous != "" {
		m.meeting, err = rendezvous.OpenFile(o.Rendezvous, o.RunID)
		errs = append(errs, err)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	host, _ := os.Hostname() // only a name for people
	plan := p.fleetPlan(m.Of)
	m.info = fleet.Info{Plan: plan, ID: plan.ID(), Index: m.Index, Incarnation: rand.Text(), Host: host, StartAt: m.startAt}
	return m, nil
}

// led tells whether a controller leads the member.
func (m *member) led() bool { return m != nil && m.meeting != nil }

// fleetPlan is what all members must agree on.
func (p *Plan) fleetPlan(members int) fleet.Plan {
	out := fleet.Plan{
		Version: p.o.Tool, Geometry: "1us to 60s, 3 digits", Pace: p.o.Pace, Seed: p.o.Seed, Members: members, Profile: p.o.profileID(),
		URL: p.o.URL,
	}
	for _, sc := range p.scenarios {
		out.Scenarios = append(out.Scenarios, fleet.Scenario{Name: sc.Name, SHA256: sc.SHA256})
		for _, t := range p.asked(sc) {
			t.File = "" // where it was read is no part of what it asks
			out.Targets = append(out.Targets, t)
		}
	}
	return out
}

// MemberArgs are the arguments of `vitals run` that make a member's plan this one:
// the scenario, and flags. Files are named as the member finds them.
func (o Options) MemberArgs(scenario, targets, profile string) []string {
	args := []string{scenario, "--url", o.URL, "--pace", o.Pace, "--targets", targets, "--seed", strconv.FormatUint(o.Seed, 10)}
	if profile != "" {
		args = append(args, "--profile", profile)
	}
	for _, host := range o.Own {
		args = append(args, "--i-own", host)
	}
	if o.AllowProduction {
		args = append(args, "--allow-production")
	}
	return args
}

// profileID is the digest of the profile's file, wherever it lies; the name of a
// built-in one.
func (o Options) profileID() string {
	text, err := os.ReadFile(o.Profile)
	if err != nil {
		return o.Profile
	}
	return fmt.Sprintf("%x", sha256.Sum256(text))
}

// accounts are this member's: no account is used by two, for locks, sessions and
// quotas are the account's. The attacked ones are taken from the end before.
func (m *member) accounts(all []stack.Account) (mine []stack.Account) {
	for i := m.Index; i < len(all); i += m.Of {
		mine = append(mine, all[i])
	}
	return mine
}

// owns says whether the scenario's n-th intruder works at this member.
func (m *member) owns(n int) bool { return n%m.Of == m.Index }

// mine are the intruders that work here with the accounts that they attack.
// Their addresses lie apart from every other member's.
func mine(all []scenarios.Intruder, victims []intruders.Victim, first uint64, owns func(int) bool) (ins []scenarios.Intruder, of []intruders.Victim, from uint64) {
	from = first
	for n, in := range all {
		one := []scenarios.Intruder{in}
		v := intruders.Victims(one)
		if owns(n) {
			ins, of = append(ins, in), append(of, victims[:v]...)
		} else {
			from += uint64(intruders.Places(one))
		}
		victims = victims[v:]
	}
	return ins, of, from
}

// await says when all members begin.
func (m *member) await(ctx context.Context) (at time.Time, err error) {
	defer func() { m.begun = at }()
	if m.meeting == nil {
		if m.startAt.IsZero() {
			return time.Now(), nil
		}
		return m.startAt, m.late()
	}
	if m.seat, err = m.meeting.Join(ctx, m.Member, rendezvous.Ready{
		PlanID: m.info.ID, Version: m.info.Plan.Version, Host: m.info.Host, Incarnation: m.info.Incarnation,
	}, barrier); err != nil {
		return at, err
	}
	if at, err = m.seat.Start(ctx, barrier); err != nil {
		return at, err
	}
	m.info.StartAt = at.UTC()
	// It lives until its document is handed over, which is after the load.
	alive, leave := context.WithCancel(context.WithoutCancel(ctx))
	m.leave = leave
	go m.seat.Watch(alive, m.stop)
	return at, nil
}

// late is an error when the common start has passed.
func (m *member) late() error {
	if late := time.Since(m.startAt); !m.startAt.IsZero() && late > 0 {
		return &rendezvous.Exit{Code: fleet.ExitFenced, Err: fmt.Errorf("the start at %s was %s ago: a member that comes late would send another plan", m.startAt.Format(time.RFC3339), late.Round(time.Millisecond))}
	}
	return nil
}

// deliver hands the document over, where there is somebody to take it.
func (m *member) deliver(ctx context.Context, d *report.Document) error {
	if m.meeting == nil || m.seat == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
	defer cancel()
	var text strings.Builder
	if err := report.JSON(&text, d); err != nil {
		return err
	}
	return m.seat.Deliver(ctx, []byte(text.String()), d.Exit == exit.Interrupted)
}

// memberError gives a member's own exit codes to the program.
func memberError(err error) error {
	var e *rendezvous.Exit
	if errors.As(err, &e) {
		return exit.With(e.Code, e.Err)
	}
	return nil
}

// conclude ends a member's document: it is judged when all are merged.
func (m *member) conclude(d *report.Document) {
	d.Member = &m.info
	d.Verdict, d.Exit = report.NoData, exit.Pass
	d.Reasons = []string{fmt.Sprintf("member %s: judged when all %d are merged (vitals merge)", m.Member, m.Of)}
	for _, r := range d.Runs {
		if r.Result.Partial {
			d.Partial, d.Exit = true, fleet.ExitAborted
			if r.Result.EndedBy == measure.Interrupted { // by who runs this process, and not by the controller
				d.Exit = exit.Interrupted
			}
			d.Reasons = append(d.Reasons, cmp.Or(r.Result.EndedEarly, "stopped before its end"))
		}
	}
}
