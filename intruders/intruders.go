// Package intruders is the hostile side of a scenario: actors that guess
// passwords from addresses of their own while honest users work, and the oracle
// that says from their answers alone what the lockout admitted, leaked, and did
// to others (hardening 2.5). It sends through a Sender and knows no transport.
package intruders

import (
	"context"
	"fmt"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"vitals/measure"
	"vitals/scenarios"
)

// GuessPasswords is the kind of intruder that tries wrong passwords until it is
// locked out, then the right one.
const GuessPasswords = "guess passwords"

// Guess is one sign-in from one client address.
type Guess struct {
	From            netip.Addr
	Email, Password string
}

// Answer is what came back, and when.
type Answer struct {
	Sent, Done time.Time
	Code       int // 0 without an answer
	Header     http.Header
	Class      measure.Class // why there is no answer
}

// Sender sends sign-ins to the system under test.
type Sender interface {
	// SignIn sends one and waits for the answer.
	SignIn(ctx context.Context, g Guess) Answer
	// SignInAtOnce releases all at one barrier on warm connections and tells
	// how far apart they were released. Answers are in the order of gs. A burst
	// that was too slow to be one has its answers beside the error.
	SignInAtOnce(ctx context.Context, gs []Guess) (as []Answer, spread time.Duration, err error)
}

// Victim is an account that intruders attack, with its right password. Each
// address attacks a victim of its own, so that no throttle on an account is
// mistaken for the lock on an address.
type Victim struct{ Email, Password string }

// Plan is everything one run's intruders need.
type Plan struct {
	Intruders []scenarios.Intruder
	Victims   []Victim                  // at least Addresses(Intruders)
	Address   func(n uint64) netip.Addr // address n of the run
	First     uint64                    // the first n that no honest user sends from
	Step      int                       // index of Steps()[0] among the recorder's steps
	Record    func(*measure.Sample)     // safe for concurrent use
}

// Addresses is how many client addresses, and victims, the intruders need; each
// has a bystander address beside it.
func Addresses(in []scenarios.Intruder) int {
	n := 0
	for _, i := range in {
		n += i.Addresses
	}
	return n
}

// The steps that intruders' requests are recorded under, in this order.
const (
	guessing = iota // a wrong password: judged, 401
	refused         // a wrong password that must find the lock: 429
	knowing         // the right password from the locked address: 429
	standing        // the right password from another address: 200
)

// Steps are the intruders' steps for the recorder.
func Steps() []measure.Step {
	names := []string{"guess a password", "guess while locked", "right password while locked", "right password from elsewhere"}
	out := make([]measure.Step, len(names))
	for i, n := range names {
		out[i] = measure.Step{Journey: "intruder", Name: n, Intruder: true}
	}
	return out
}

// Run lets every address of every intruder do its work, beside the load, and
// returns what they saw, an Attack per address. began is the run's start.
func Run(ctx context.Context, began time.Time, p Plan, s Sender) ([]Attack, error) {
	if len(p.Victims) < Addresses(p.Intruders) {
		return nil, fmt.Errorf("intruders need %d accounts to attack, got %d", Addresses(p.Intruders), len(p.Victims))
	}
	attacks := make([]Attack, 0, Addresses(p.Intruders))
	var all sync.WaitGroup
	var mu sync.Mutex
	n := 0
	for _, in := range p.Intruders {
		for range in.Addresses {
			a := actor{
				p: p, s: s, began: began, in: in, victim: p.Victims[n],
				own: p.Address(p.First + 2*uint64(n)), other: p.Address(p.First + 2*uint64(n) + 1),
			}
			n++
			all.Go(func() {
				attack := a.work(ctx)
				mu.Lock()
				attacks = append(attacks, attack)
				mu.Unlock()
			})
		}
	}
	all.Wait()
	return attacks, nil
}
