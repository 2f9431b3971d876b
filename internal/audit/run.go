package audit

import (
	"context"
	"fmt"
	"net/http"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"time"

	"vitals/internal/limitcheck"
	"vitals/internal/profile"
	"vitals/internal/wire"
)

// Options say how an audit is run. The zero value runs the probes given, one
// after the other, with no owner and any wait.
type Options struct {
	Owner    Owner
	Patience time.Duration  // longest single wait of a probe; 0 = any
	Bursts   int            // how often LK8 tries; 0 = 20
	Progress func(Progress) // called from several goroutines; nil = nobody asks
	Secrets  []string       // texts that no transcript may show
	Bypass   *Bypass        // ways past a limit that are tried; nil = the built-in ones
	Standard []string       // standards that are asked for as if the profile promised them
	// Siege runs the built-in scenario of that name against a target, at quick pace or
	// in full, and reads its result; nil = LK28 is skipped.
	Siege func(ctx context.Context, g *Target, quick bool) (Siege, error)
	First uint64 // the first client address, by its number; 0 = one by the clock
}

// Progress is what happens while an audit runs: a probe begins, waits, or ends.
type Progress struct {
	Probe   Probe
	Done    int // findings so far
	Of      int
	Wait    time.Duration // > 0: it waits so long, for the reason in Words
	Words   string
	Finding *Finding // the probe ended
}

// runner is one audit under way.
type runner struct {
	o       Options
	target  *Target
	secrets secrets
	probes  []Probe

	mu       sync.Mutex
	address  uint64 // next client address
	spent    bool   // the only client address is used up
	accounts map[*Target]int
	lookers  map[*Target]Account
	done     int
	paced    time.Time // when the next safe request may go
	stopped  string    // the probe during which the target stopped answering
	checkers map[*Target]*limitcheck.Checker
	order    []*Target
	owners   map[string]string  // access token → account
	given    map[string]values  // access token → fields of the sign-in's answer
	latest   map[*Target]values // those of the last one
	numbers  map[*Target]values // which of them are numbers

	earned    map[sender]int   // admitted so far
	leftovers map[*Target]bool // an earlier run's refusals were met
	admission admission
	locks     map[*Target]int // where the lock was met, if not where it is promised
}

// Run runs the probes against the target and returns all findings, in the order
// of the checklist. Probes that wait for minutes run beside the others, and those
// that want to be alone last. When ctx ends, what is under way is ended and the
// rest is skipped.
func Run(ctx context.Context, probes []Probe, target *Target, o Options) Report {
	if o.First == 0 {
		o.First = uint64(time.Now().Unix()) << 7
	}
	r := &runner{
		o: o, target: target, probes: probes, address: o.First,
		accounts: map[*Target]int{}, lookers: map[*Target]Account{}, checkers: map[*Target]*limitcheck.Checker{}, owners: map[string]string{}, given: map[string]values{}, latest: map[*Target]values{}, numbers: map[*Target]values{}, earned: map[sender]int{}, leftovers: map[*Target]bool{}, locks: map[*Target]int{},
	}
	for _, s := range o.Secrets {
		r.secrets.add(s)
	}
	for _, a := range target.Accounts {
		r.secrets.add(a.Password)
	}
	findings := make([]Finding, len(probes))
	var beside sync.WaitGroup
	for i, p := range probes {
		if p.Waits {
			beside.Go(func() { findings[i] = r.one(ctx, p) })
		}
	}
	for i, p := range probes {
		if !p.Waits && !p.Alone {
			findings[i] = r.one(ctx, p)
		}
	}
	beside.Wait()
	for i, p := range probes {
		if p.Alone {
			findings[i] = r.one(ctx, p)
		}
	}
	follow(findings)
	rep := Report{Target: target.URL.Redacted(), Profile: target.Profile.Name, ShortClock: target.ShortClock, Partial: ctx.Err() != nil, Stopped: r.stoppedIn(), Findings: findings}
	for _, g := range r.order {
		rep.Violations = append(rep.Violations, r.checkers[g].Finish()...)
		rep.Events += r.checkers[g].Events()
	}
	attribute(rep.Violations, findings, target.Profile.Operations["login"].Policy)
	rep.count()
	if slices.Contains(o.Standard, profile.ASVS) {
		rep.Standards = append(rep.Standards, asvs(findings, target.byRole(rep.Violations)))
	}
	return rep
}

// one runs one probe on a goroutine of its own, which Skip and Stop end.
func (r *runner) one(ctx context.Context, p Probe) Finding {
	basis, asked, why := p.basis(r.target, r.o.Standard)
	unfit := p.unfit(r.target) != ""
	t := &T{trial: &trial{ctx: ctx, run: r, probe: p, basis: basis, asked: asked, began: time.Now(), clients: map[*Target]*wire.Client{}}, target: r.target}
	r.progress(Progress{Probe: p})
	defer context.AfterFunc(ctx, t.hangUpAll)()
	returned := false
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		defer t.close()
		defer func() {
			if broken := recover(); broken != nil {
				// Our mistake must neither end the audit nor read as a verdict.
				t.mu.Lock()
				t.broke, t.skipped = true, fmt.Sprintf("the probe itself broke: %v at %s", broken, culprit())
				t.mu.Unlock()
			}
		}()
		switch {
		case !asked:
			t.bar(why)
		case p.Class == Control && r.o.Owner == nil:
			t.bar("it starts and stops an API of its own: use --stack embedded or --stack containers")
		case p.Class == Intrusive && !r.target.Own:
			t.bar("it locks addresses, spends quotas and makes data: name the host with --i-own if it is yours")
		case ctx.Err() != nil:
			t.late = true
			t.bar(unrun + "interrupted")
		case r.stoppedIn() != "":
			t.late = true
			t.bar(unrun + "the API stopped answering during " + r.stoppedIn())
		}
		p.run(t)
		returned = true
	}()
	<-ended
	f := t.finding(returned)
	f.unfit = unfit
	f.Reason = r.secrets.redact(f.Reason)
	r.secrets.evidence(f.Evidence)
	for i, n := range f.Notes {
		f.Notes[i] = r.secrets.redact(n)
	}
	r.mu.Lock()
	r.done++
	r.mu.Unlock()
	r.progress(Progress{Probe: p, Finding: &f})
	return f
}

// stoppedIn is the probe during which the target stopped answering; "" = it answers.
func (r *runner) stoppedIn() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.stopped
}

// culprit is the line of a probe that panicked.
func culprit() string {
	stack := strings.Split(string(debug.Stack()), "\n")
	at := slices.IndexFunc(stack, func(l string) bool { return strings.HasPrefix(l, "panic(") })
	if at >= 0 && at+3 < len(stack) {
		line := strings.TrimSpace(stack[at+3])
		line = line[strings.LastIndexByte(line, '/')+1:]
		line, _, _ = strings.Cut(line, " ")
		return line
	}
	return "an unknown place"
}

func (r *runner) progress(p Progress) {
	if r.o.Progress == nil {
		return
	}
	r.mu.Lock()
	p.Done, p.Of = r.done, len(r.probes)
	r.mu.Unlock()
	r.o.Progress(p)
}

// next numbers client addresses.
func (r *runner) next() uint64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.address++
	return r.address
}

// spend takes the only client address, once.
func (r *runner) spend(string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	was := r.spent
	r.spent = true
	return !was
}

// account gives out the target's accounts, each once; those with a role again.
func (r *runner) account(g *Target, role string) (Account, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if role != "" {
		at := slices.IndexFunc(g.Accounts, func(a Account) bool { return a.Role == role })
		if at < 0 {
			return Account{}, false
		}
		return g.Accounts[at], true
	}
	for at := r.accounts[g]; at < len(g.Accounts); at++ {
		if g.Accounts[at].Role == "" {
			r.accounts[g] = at + 1
			return g.Accounts[at], true
		}
	}
	return Account{}, false
}

// pace holds safe probes below SafeRate where the target is not the user's own.
func (r *runner) pace(t *T) {
	if t.target.Own || t.probe.Class != Safe {
		return
	}
	r.mu.Lock()
	at := r.paced
	if now := time.Now(); at.Before(now) {
		at = now
	}
	r.paced = at.Add(safePause)
	r.mu.Unlock()
	select {
	case <-time.After(time.Until(at)):
	case <-t.ctx.Done():
	}
}

// see gives a request that counts under a policy to the target's checker of limits.
func (r *runner) see(g *Target, x *wire.Seen) {
	if x.Policy == "" {
		return
	}
	r.earn(g, x)
	if !r.elsewhere(g, x) {
		r.note(g, x.Event())
	}
}

// elsewhere tells that a request never reached the operation whose policy it would
// count under, as one by another spelling of its path: nobody can say what that counts
// under.
func (r *runner) elsewhere(g *Target, x *wire.Seen) bool {
	if x.Policy == profile.API || x.Status != http.StatusNotFound && x.Status != http.StatusMethodNotAllowed {
		return false
	}
	for _, op := range g.Profile.Operations {
		if op.Policy == x.Policy && op.Refusal() == x.Status {
			return false
		}
	}
	l, _ := g.named(x.Policy)
	return !l.Refuses(x.Status)
}

// note gives the target's checker of limits an event.
func (r *runner) note(g *Target, e limitcheck.Event) {
	if g.Deaf {
		return
	}
	r.checker(g).Add(e)
}

// checker is the target's checker of limits, made when it is first needed.
func (r *runner) checker(g *Target) *limitcheck.Checker {
	r.mu.Lock()
	defer r.mu.Unlock()
	c, ok := r.checkers[g]
	if !ok {
		c = limitcheck.New(g.rules(), limitcheck.Options{Shared: g.Source == nil})
		r.checkers[g], r.order = c, append(r.order, g)
	}
	return c
}
