package limit

import (
	"maps"
	"slices"
	"sync"
)

// debts are what was decided here and Redis does not know of: locks that started,
// checks that were settled. They are paid before Redis is trusted again.
type debts struct {
	mu     sync.Mutex
	owed   map[place]Lock
	unsaid []settlement // oldest first
}

// settlement is a check that was settled here. Its id makes it harmless to say it
// twice.
type settlement struct {
	policy        Policy
	key, id, user string
	outcome       Outcome
}

// owes reports whether a lock at this place is still to be told.
func (d *debts) owes(at place) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	_, ok := d.owed[at]
	return ok
}

// owe remembers a lock.
func (d *debts) owe(l Lock) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.owed == nil {
		d.owed = map[place]Lock{}
	}
	if len(d.owed) < unsavedMax {
		d.owed[place{l.Policy, l.Key}] = l
	}
}

// say remembers a settlement; past the bound the oldest are dropped, whose window
// ends first.
func (d *debts) say(s settlement) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.unsaid) >= unsavedMax {
		d.unsaid = d.unsaid[1:]
	}
	d.unsaid = append(d.unsaid, s)
}

// due is what is to be paid now.
func (d *debts) due() ([]Lock, []settlement) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Collect(maps.Values(d.owed)), slices.Clone(d.unsaid)
}

// forget is for locks that Redis was told, or that an admin has lifted.
func (d *debts) forget(at ...place) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, p := range at {
		delete(d.owed, p)
	}
}

// said is for the oldest settlement.
func (d *debts) said() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.unsaid = d.unsaid[1:]
}
