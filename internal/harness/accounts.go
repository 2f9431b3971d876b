package harness

import (
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strings"

	"vitals/internal/intruders"
	"vitals/internal/stack"
	"vitals/scenarios"
)

// ReadAccounts reads the CSV files of a list with commas between them; a file whose
// own name has commas is one file. An account that stands twice would be signed in twice and spend one limit for two.
func ReadAccounts(list string) ([]stack.Account, error) {
	var out []stack.Account
	var errs []error
	from := map[string]int{}
	names := strings.Split(list, ",")
	if _, err := os.Stat(list); err == nil {
		names = []string{list}
	}
	for i, name := range names {
		name = strings.TrimSpace(name)
		accounts, err := readAccountFile(name)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		for _, a := range accounts {
			if first, twice := from[a.Email]; twice && first != i {
				errs = append(errs, fmt.Errorf("%s: an account of another file stands twice", name))
				break
			}
			from[a.Email] = i
		}
		out = append(out, accounts...)
	}
	return out, errors.Join(errs...)
}

// victimsNeeded is how many accounts a session's attacks use up, each once.
func (p *Plan) victimsNeeded(replicas int) int { return p.victimsOf(p.scenarios, replicas) }

func (p *Plan) victimsOf(scs []*scenarios.Scenario, replicas int) (n int) {
	for _, sc := range scs {
		n += intruders.Victims(sc.Intruder) + faultVictims(p.faults, replicas)
	}
	return n
}

// victimsFromOneAddress is the same where all requests come from one address.
func (p *Plan) victimsFromOneAddress() (n int) {
	for _, sc := range p.scenarios {
		can, _ := fromOneAddress(sc.Intruder, p.api())
		n += intruders.Victims(can)
	}
	return n
}

// accountsNeeded is how many accounts a stack of ours is given: what a session of
// these scenarios uses up at the production limit of requests per account and hour,
// a fifth to spare for users who are quicker than others, and those of the attacks.
func (p *Plan) accountsNeeded() int {
	scs, attacked := p.scenarios, p.victimsNeeded(p.o.Replicas)
	if p.o.Retries > 0 {
		scs, attacked = twice(scs), 2*attacked
	}
	return scenarios.Needed(p.o.Pace, scs...)*6/5 + 10 + attacked
}

// divide gives honest users and attacks accounts of their own. Those of a deployment
// that is there are taken from another place in the list each run, for what an earlier
// run has spent of their quotas, and guessed at them, still stands: the list is parted
// in proportion to what both need, and each begins at a turn of its part. There are
// more victims than are needed where the list has more: spares.
func divide(all []stack.Account, p *Plan, st *stack.Stack) (users, victims []stack.Account) {
	need, attacked := scenarios.Needed(p.o.Pace, p.scenarios...), p.victimsNeeded(len(st.Replicas))
	if st.Source == nil {
		attacked = p.victimsFromOneAddress()
	}
	if attacked = min(attacked, len(all)-1); attacked < 1 {
		return turned(all, need, p.turn(st)), nil
	}
	part := attacked
	switch spare := len(all) - need - attacked; {
	case spare <= 0:
	case st.Kind == "url":
		part += spare * attacked / (need + attacked)
	case p.o.Retries > 0:
		part = min(2*attacked, attacked+spare)
	}
	turn := p.turn(st)
	return turned(all[:len(all)-part], need, turn>>32), turned(all[len(all)-part:], attacked, turn&math.MaxUint32)
}

// turned is a list that begins at a multiple of what one run uses of it.
func turned(list []stack.Account, used int, turn uint64) []stack.Account {
	if used < 1 || len(list) < 2*used {
		return list
	}
	at := used * int(turn%uint64(len(list)/used))
	return slices.Concat(list[at:], list[:at])
}

// turn is what makes a run's accounts differ from another's: chance, for which the
// members of one run have its name and its start. A stack of ours begins afresh.
func (p *Plan) turn(st *stack.Stack) uint64 {
	switch {
	case st.Kind != "url":
		return 0
	case p.member == nil:
		return rand.Uint64()
	}
	h := fnv.New64a()
	_, _ = io.WriteString(h, p.o.RunID+p.o.StartAt) // a hash takes anything
	return h.Sum64()
}

// SignsIn tells whether anybody needs an account.
func (p *Plan) SignsIn() bool {
	return slices.ContainsFunc(p.scenarios, func(sc *scenarios.Scenario) bool { return sc.Accounts.SignIn.Path != "" })
}

// checkAccounts finds a file of accounts that is too short for the scenarios.
func (p *Plan) checkAccounts() error {
	if !p.SignsIn() {
		return nil
	}
	need, attacked := scenarios.Needed(p.o.Pace, p.scenarios...), p.victimsFromOneAddress()
	if p.o.Forward || p.url == nil || stack.OwnAddresses(p.url.Hostname()) {
		attacked = p.victimsNeeded(1)
	}
	if len(p.accounts) >= need+attacked {
		return nil
	}
	words := fmt.Sprintf("the requests of the run need %s", count(need, "account"))
	for _, sc := range p.scenarios {
		l := sc.At(p.o.Pace)
		if l.Model != scenarios.Users {
			continue
		}
		if users := l.Users().Max(); (users+l.Share-1)/max(1, l.Share) == need {
			words = fmt.Sprintf("%s: %s need %s", sc.Name, count(users, "user"), count(need, "account"))
			break
		}
	}
	if attacked > 0 {
		words += fmt.Sprintf(", and attacks %d more", attacked)
	}
	return fmt.Errorf("%s: too few accounts: %s; the file has %d", p.o.Accounts, words, len(p.accounts))
}

func count(n int, what string) string {
	if n != 1 {
		what += "s"
	}
	return fmt.Sprintf("%d %s", n, what)
}
