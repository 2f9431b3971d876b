package harness

import (
	"context"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"vitals/internal/faults"
	"vitals/internal/intruders"
	"vitals/internal/measure"
	"vitals/scenarios"
)

// faultAttack attacks the lockout around one fault: an address is locked before it,
// an address at each replica guesses while it lasts, and when it is over the locked
// one asks every replica whether its lock is remembered.
type faultAttack struct {
	*attackers
	fault   faults.Fault
	spare   time.Duration
	victims []intruders.Victim // the first is attacked before and after, the others one at each replica
	first   uint64             // address of the first; each has one more beside it
	before  intruders.Attack
	during  []intruders.Attack
	after   []intruders.Attack
}

// headStart is how long before a fault the address that is to be locked begins.
const headStart = 4 * time.Second

// faultVictims is how many accounts, and pairs of addresses, the faults of one
// scenario need.
func faultVictims(fs []faults.Fault, replicas int) int { return len(fs) * (1 + max(1, replicas)) }

func (h *faultHook) newFaultAttack(f faults.Fault) faultAttack {
	n := faultVictims([]faults.Fault{f}, len(h.st.Replicas))
	victims, first := h.pool.take(n, 2*n)
	return faultAttack{attackers: h.attackers, fault: f, spare: h.spare, victims: victims, first: first}
}

// carryOut is the attack itself.
func (s *faultAttack) carryOut(ctx context.Context, began time.Time) {
	// one is one address at one replica, from an offset until another.
	one := func(replica *url.URL, who int, guesses int, from, until time.Duration) intruders.Attack {
		ctx, cancel := context.WithDeadline(ctx, began.Add(until))
		defer cancel()
		h := s.client(replica)
		defer h.Close()
		in := scenarios.Intruder{Name: s.fault.Text, Kind: scenarios.PasswordGuessing, Addresses: 1, Guesses: guesses, Every: 100 * time.Millisecond, After: from}
		plan := s.plan([]scenarios.Intruder{in}, s.victims[who:who+1], s.first+2*uint64(who))
		return intruders.New(plan, h).Run(ctx, ctx, began)[0]
	}
	f, replicas := s.fault, s.st.Replicas
	s.before = one(replicas[0], 0, intruderGuesses, max(0, f.At-headStart), f.At)
	atEach := func(who func(n int) int, guesses int, from, until time.Duration) []intruders.Attack {
		out := make([]intruders.Attack, len(replicas))
		var all sync.WaitGroup
		for n, at := range replicas {
			all.Go(func() { out[n] = one(at, who(n), guesses, from, until) })
		}
		all.Wait()
		return out
	}
	if f.Rest > 2*settling {
		s.during = atEach(func(n int) int { return 1 + n }, intruderGuesses, f.At+settling, f.End()-settling)
	}
	if s.before.Refused > 0 {
		s.after = atEach(func(int) int { return 0 }, 0, f.End(), f.End()+s.spare)
	}
}

const (
	intruderGuesses = 8                      // past every limit of the table on sign-ins
	settling        = 300 * time.Millisecond // for the fault to be there, and for answers before it is over
)

// leaked is what the lockout let through around the faults, by what the API
// declares: while Redis is away a replica that counts for itself has its share of
// the limit, one that is closed judges nothing; a lock outlives everything. It is
// absent when nobody answered.
func (h *faultHook) leaked() (measure.Fact, bool) {
	limit, share, policy := h.declared()
	fact := measure.Fact{Name: faults.LeakedFact}
	most, held, asked := 0, 0, 0
	add := func(a intruders.Attack, allowed int) {
		if a.Refused == 0 && allowed > 0 {
			a.Leaked = 0 // the fault kept it from its lock, so that the right password is let in
		}
		fact.Value += float64(max(0, a.Judged-allowed) + a.AfterLock + a.Leaked)
		fact.N += int64(a.Judged + a.Refused + a.Lost + a.Knowing)
	}
	for i, out := range h.outages {
		attack := h.attacks[i]
		add(attack.before, limit)
		for _, a := range attack.during {
			allowed := limit
			if out.Part == "redis" {
				allowed = share
			}
			add(a, allowed)
			most = max(most, a.Judged)
		}
		for _, a := range attack.after {
			if a.Refused+a.Judged+a.Knowing > 0 {
				asked++
			}
			if a.Refused > 0 && a.Judged+a.Leaked == 0 {
				held++
			}
			a.AfterLock = 0 // they are all after the lock, and counted as judged
			add(a, 0)
		}
	}
	for _, a := range h.aside {
		add(a, limit)
	}
	fact.Note = fmt.Sprintf("guesses judged beyond what is declared (%s), and locks forgotten: a replica judged at most %d of one address while a part was away, %d of %d replicas held the lock from before it", policy, most, held, asked)
	return fact, fact.N > 0
}

// declared is the limit on sign-ins, and what each replica admits while Redis is
// away, by the settings in force.
func (h *faultHook) declared() (limit, share int, policy string) {
	set := map[string]string{}
	for _, s := range h.st.Settings {
		set[s.Name] = s.Value
	}
	limit, _ = strconv.Atoi(set["RATE_LIMIT_LOGIN"]) // the API's own, which it was started with
	replicas, _ := strconv.Atoi(set["REPLICAS"])
	policy = set["RATE_LIMIT_REDIS_FAILURE"]
	if policy == "closed" {
		return limit, 0, "without Redis: closed, none"
	}
	share = max(1, limit/max(1, replicas))
	return limit, share, fmt.Sprintf("without Redis: %s, %d of %d at each of %d replicas", policy, share, limit, max(1, replicas))
}

// apart sets attacks aside that were at work while Redis was away: not the
// production limit is to be met then but the share declared for it.
func (h *faultHook) apart(attacks []intruders.Attack) (whole []intruders.Attack) {
	for _, a := range attacks {
		if slices.ContainsFunc(h.outages, func(out faults.Outage) bool {
			reaches := out.Over == 0 || a.Began < out.Over+h.spare
			return out.Part == "redis" && out.Began > 0 && a.Ended > out.Began && reaches
		}) {
			h.aside = append(h.aside, a)
		} else {
			whole = append(whole, a)
		}
	}
	return whole
}

// meanwhile are the answers that guesses got inside the windows, in words.
func meanwhile(res *measure.Result) string {
	codes := map[int]int64{}
	for _, p := range res.Phases {
		for _, s := range p.Steps {
			if p.Name == faults.During && s.Step.Intruder {
				for code, n := range s.Codes {
					codes[code] += n
				}
			}
		}
	}
	var out []string
	for _, code := range slices.Sorted(maps.Keys(codes)) {
		out = append(out, fmt.Sprintf("%d × %d", codes[code], code))
	}
	return strings.Join(out, ", ")
}
