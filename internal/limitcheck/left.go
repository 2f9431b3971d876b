package limitcheck

import "net/netip"

// Left says that an address, and a user ("" = none), were refused before anything was
// sent from here: somebody else, or an earlier run, left a count or a lock behind.
// What they are refused says nothing from now on; what is judged too often is accused
// all the same.
func (c *Checker) Left(from netip.Addr, user string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for k, t := range c.keys {
		if k.addr == from.Unmap() || user != "" && folded(k.user) == folded(user) {
			t.rule.Partial, t.suspect, t.odd, t.refusal = true, nil, nil, nil
		}
	}
}
