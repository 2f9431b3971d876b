// Package intruders is the hostile side of a scenario: actors that guess, spray,
// forge, replay and hold connections open from addresses of their own while honest
// users work, and what their answers alone say was admitted, leaked, left open, and
// done to others. It sends through a Sender and dials nothing itself.
package intruders

import (
	"context"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"sync"
	"time"

	"vitals/internal/measure"
	"vitals/internal/profile"
	"vitals/internal/wire"
	"vitals/scenarios"
)

// Sender sends what intruders send. A wire.Client is one, but for Open.
type Sender interface {
	// Send sends one request and waits for the answer; trouble on the wire is
	// in the answer as well.
	Send(ctx context.Context, q wire.Request) (wire.Answer, error)
	// Burst releases all at one barrier on warm connections and tells how far
	// apart they were released. Answers are in the order of qs. A burst that was
	// too slow to be one has its answers beside the error.
	Burst(ctx context.Context, qs []wire.Request) (as []wire.Answer, spread time.Duration, err error)
	// Open opens a bare connection from an address, and gives the header lines
	// that a request on it needs, each ended by CRLF.
	Open(ctx context.Context, from netip.Addr) (conn net.Conn, lines string, err error)
}

// Victim is an account that intruders attack, with its right password. Each
// address attacks a victim of its own, so that no throttle on an account is
// mistaken for the lock on an address.
type Victim struct{ Email, Password string }

// Plan is everything one run's intruders need.
type Plan struct {
	Intruders []scenarios.Intruder
	Load      scenarios.Load // whose phases they work in
	SignIn    scenarios.Step // of honest users
	// Fill is SignIn's path, header and body with somebody's credentials, all its
	// placeholders filled in as honest users have them.
	Fill    func(email, password string) (path string, header http.Header, body []byte)
	Prefix  string // of every path: that of the base URL
	Cookies bool   // honest users keep the cookies that answers set
	// Profile has the operations beyond signing in. An intruder that needs one
	// which is not there, nil has none, shows nothing and says so.
	Profile *profile.Profile
	Victims []Victim                  // at least Victims(Intruders)
	Spare   func() (Victim, bool)     // another, for one that is refused before the run; safe for concurrent use; nil = there is none
	Address func(n uint64) netip.Addr // address n of the run
	First   uint64                    // the first n that no honest user sends from; Places(Intruders) are used
	// HeadTimeout and BodyTimeout are the server's own; 0 = the published 5 and 15 s.
	HeadTimeout, BodyTimeout time.Duration
	Step                     int                               // index of Steps[0] among the recorder's steps
	Steps                    []measure.Step                    // that intruders' requests are recorded under, by their names; nil = Steps(Intruders)
	Record                   func(*measure.Sample)             // safe for concurrent use
	Missed                   func(step int, due time.Duration) // a guess that was due and not sent; safe for concurrent use
	Ended                    func()                            // nothing is recorded any more; nil = nobody asks
}

// Victims is how many accounts the intruders attack.
func Victims(ins []scenarios.Intruder) (n int) {
	for _, in := range ins {
		n += victims(in)
	}
	return n
}

func victims(in scenarios.Intruder) int {
	switch in.Kind {
	case scenarios.PasswordSpraying:
		return in.Accounts
	case scenarios.Slowloris, scenarios.OversizedBody:
		return 0
	}
	return in.Addresses
}

// Places is how many client addresses the intruders and their victims use.
func Places(ins []scenarios.Intruder) (n int) {
	for _, in := range ins {
		n += in.Addresses + victims(in)
	}
	return n
}

// steps that each kind's requests are recorded under.
var steps = map[string][]string{
	scenarios.PasswordGuessing: {stepGuessing, stepRefused, stepKnowing, stepStanding},
	scenarios.HeaderSpoofing:   {stepGuessing, stepRefused, stepKnowing, stepStanding},
	scenarios.PasswordSpraying: {stepSpraying, stepStanding},
	scenarios.CodeGuessing:     {stepGuessingCode, stepRefusedCode, stepKnowingCode, stepStanding},
	scenarios.TokenReplay:      {stepPreparing, stepReusing},
	scenarios.Slowloris:        {stepHolding},
	scenarios.OversizedBody:    {stepOversizing},
}

const (
	stepGuessing = "guess a password"              // judged, 401
	stepRefused  = "guess while locked"            // 429
	stepKnowing  = "right password while locked"   // 429
	stepStanding = "right password from elsewhere" // 200

	stepSpraying = "spray a password" // 401 or 429

	stepGuessingCode = "guess a code"
	stepRefusedCode  = "guess a code while locked"
	stepKnowingCode  = "right code while locked"

	stepPreparing  = "get a token"            // as honest users do
	stepReusing    = "reuse a token"          // 401
	stepHolding    = "hold a connection open" // cut
	stepOversizing = "oversize a body"        // 413, or cut
)

// Steps are the intruders' steps for the recorder.
func Steps(ins []scenarios.Intruder) (list []measure.Step) {
	for _, in := range ins {
		for _, name := range steps[in.Kind] {
			s := measure.Step{Journey: "intruder", Name: name, Intruder: true}
			if !slices.Contains(list, s) {
				list = append(list, s)
			}
		}
	}
	return list
}

// Group is all intruders of one run.
type Group struct {
	Plan
	s       Sender
	began   time.Time
	index   map[string]int // of steps, by name
	workers []worker
}

// worker is one address of an intruder, or the whole of one that sprays.
type worker interface {
	prepare(ctx context.Context)
	work(ctx context.Context)
	base() *actor
}

// New makes the intruders of a plan, which has Victims(Intruders) victims.
func New(p Plan, s Sender) *Group {
	g := &Group{Plan: p, s: s, index: map[string]int{}}
	if p.Steps == nil {
		p.Steps = Steps(p.Intruders)
	}
	for i, step := range p.Steps {
		g.index[step.Name] = p.Step + i
	}
	place, victim := p.First, 0
	for _, in := range p.Intruders {
		made := maker{
			g: g, in: in,
			place:  func() netip.Addr { place++; return p.Address(place - 1) },
			victim: func() Victim { victim++; return p.Victims[victim-1] },
		}
		g.workers = append(g.workers, made.workers()...)
	}
	return g
}

// maker makes the workers of one intruder.
type maker struct {
	g      *Group
	in     scenarios.Intruder
	place  func() netip.Addr
	victim func() Victim
}

func (m maker) workers() (list []worker) {
	if m.in.Kind == scenarios.PasswordSpraying {
		return []worker{m.sprayer()}
	}
	for n := range m.in.Addresses {
		a := m.actor()
		a.own = m.place()
		if victims(m.in) > 0 {
			a.other, a.victim = m.place(), m.victim()
		}
		switch m.in.Kind {
		case scenarios.CodeGuessing:
			list = append(list, &coder{actor: a})
		case scenarios.TokenReplay:
			list = append(list, &replayer{actor: a})
		case scenarios.Slowloris:
			list = append(list, &slowloris{actor: a, share: share(m.in, n)})
		case scenarios.OversizedBody:
			list = append(list, &oversizer{actor: a})
		default:
			list = append(list, &guesser{actor: a})
		}
	}
	return list
}

// Prepare does what must have happened before the load: second factors are
// enrolled, and victims have signed in from where they live. What fails there
// is told by that intruder's attack.
func (g *Group) Prepare(ctx context.Context) {
	g.each(func(m worker) { m.prepare(ctx) })
}

// Run lets all do their work beside the load, and returns what they saw. began
// is the run's start. What has begun is brought to its end unless ctx ends;
// nothing begins once during, the load, has ended.
func (g *Group) Run(ctx, during context.Context, began time.Time) []Attack {
	g.began = began
	g.each(func(m worker) {
		a := m.base()
		a.load = during
		if a.seen.Trouble == "" {
			m.work(ctx)
		}
	})
	if g.Ended != nil {
		g.Ended()
	}
	attacks := make([]Attack, len(g.workers))
	for i, m := range g.workers {
		attacks[i] = m.base().attack()
	}
	return attacks
}

func (g *Group) each(f func(worker)) {
	var all sync.WaitGroup
	for _, m := range g.workers {
		all.Go(func() { f(m) })
	}
	all.Wait()
}
