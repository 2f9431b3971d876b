package rendezvous

import (
	"cmp"
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"strings"
	"time"
)

// Watcher is told of other controllers of the same run. Either may be nil.
type Watcher struct {
	Held   func(by string) // one holds the lease, and may be dead: its end is waited for
	Fenced func(*Fenced)   // one has taken the lease over: this controller must do nothing more
}

// Fenced is the end of a controller whose place another one has taken.
type Fenced struct{ Run, By string }

func (f *Fenced) Error() string {
	return fmt.Sprintf("run %s is led by another controller now (%s), which goes on with it", f.Run, f.By)
}

// OtherPlan is a run id that was used with another plan: other files, flags, number of
// members, or version.
type OtherPlan struct{ Run string }

func (o *OtherPlan) Error() string {
	return fmt.Sprintf("run %s was begun with another scenario, number of members, --url, --pace, --seed, --targets, --profile or version: give the same, or choose another run id", o.Run)
}

// Control sets the plan and holds the lease until ctx ends. A run that has another
// plan is refused, and so is one that another controller leads. One that was killed
// leaves its lease behind, which ends within its time: that is waited for.
func (m *Meeting) Control(ctx context.Context, planID string, members int, w Watcher) (*Controller, error) {
	if err := m.rdb.SetNX(ctx, m.key("plan"), planID, keep).Err(); err != nil {
		return nil, fmt.Errorf("rendezvous: set the plan: %w", err)
	}
	there, err := m.rdb.Get(ctx, m.key("plan")).Result()
	if err != nil {
		return nil, fmt.Errorf("rendezvous: read the plan: %w", err)
	}
	if there != planID {
		return nil, &OtherPlan{m.run}
	}
	me := identity()
	if err := m.take(ctx, me, w.Held); err != nil {
		return nil, err
	}
	c := &Controller{m: m, members: members, heard: make([]int64, members), me: me, released: make(chan struct{})}
	ctx, c.release = context.WithCancel(ctx)
	go func() {
		defer close(c.released)
		m.keepLease(ctx, me, w.Fenced)
	}()
	return c, nil
}

// Release gives the lease back: the next controller of the run need not wait.
func (c *Controller) Release() {
	c.release()
	<-c.released
}

// Leads asks whether the lease is still this controller's. What cannot be undone is
// done by who leads alone.
func (c *Controller) Leads(ctx context.Context) error {
	other, err := c.m.hold(ctx, c.me)
	if other != "" {
		return &Fenced{c.m.run, person(other)}
	}
	return err
}

// identity tells controllers apart, for people and for the lease.
func identity() string {
	host, _ := os.Hostname() // only a name for people
	return fmt.Sprintf("%s, process %d/%s", cmp.Or(host, "a host without a name"), os.Getpid(), rand.Text())
}

// person is an identity without what only the lease needs.
func person(identity string) string {
	name, _, _ := strings.Cut(identity, "/")
	return name
}

// take waits for the lease. One that is renewed meanwhile has a controller that lives.
func (m *Meeting) take(ctx context.Context, me string, held func(by string)) error {
	left := time.Duration(-1) // of the other's lease, when it was looked at last
	err := wait(ctx, kept+renewLease, func() (bool, error) {
		other, err := m.hold(ctx, me)
		if err != nil || other == "" {
			return err == nil, err
		}
		now, err := m.rdb.PTTL(ctx, m.key("lease")).Result()
		switch {
		case err != nil:
			return false, err
		case left >= 0 && now > left:
			return false, fmt.Errorf("run %s is led by another controller (%s): end that one first, or choose another run id", m.run, person(other))
		case left < 0 && held != nil:
			held(person(other))
		}
		left = now
		return false, nil
	})
	if err != nil {
		return fmt.Errorf("rendezvous: hold the lease: %w", err)
	}
	return nil
}

// hold takes or renews the lease, and says who else has it.
func (m *Meeting) hold(ctx context.Context, me string) (other string, err error) {
	ctx, cancel := context.WithTimeout(ctx, call)
	defer cancel()
	return hold.Run(ctx, m.rdb, []string{m.key("lease")}, me, kept.Milliseconds()).Text()
}

// keepLease renews the lease until ctx ends, and then gives it back.
func (m *Meeting) keepLease(ctx context.Context, me string, fenced func(*Fenced)) {
	wait := renewLease
	for sleep(ctx, wait) {
		wait = renewLease
		other, err := m.hold(ctx, me)
		if err != nil { // without it the members stop by themselves
			wait = beat
		}
		if other != "" {
			if fenced != nil {
				fenced(&Fenced{m.run, person(other)})
			}
			return
		}
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), call)
	defer cancel()
	_ = drop.Run(ctx, m.rdb, []string{m.key("lease")}, me).Err() // it ends by itself
}
