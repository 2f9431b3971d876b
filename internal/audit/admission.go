package audit

import (
	"fmt"
	"net/http"
	"slices"
	"sync"

	"vitals/internal/profile"
)

// admission is whether the accounts that the caller named can sign in: asked once, of the
// first. With accounts that do not exist, a right password reads as a wrong one.
type admission struct {
	once    sync.Once
	trouble string // why not; "" = it can, or nobody could tell
}

// admitted signs the first account in before a probe is given any, and skips the probes
// that need a right password when that fails. From a machine with one address towards
// the target it is left out: it would count there.
func (t *T) admitted() {
	g := t.target
	if _, ok := g.Profile.Operations["login"]; !ok || !g.Own || g.Source == nil || g.URL.Host != t.run.target.URL.Host {
		return
	}
	t.run.admission.once.Do(func() {
		at := slices.IndexFunc(g.Accounts, func(a Account) bool { return a.Role == "" })
		if at < 0 {
			return
		}
		t.run.secrets.person(g.Accounts[at].Email)
		if l, ok := g.limit("login"); ok && l.Counts != profile.Failures && l.By != "" && l.By != profile.ByAddress {
			t.run.mu.Lock()
			t.run.accounts[g] = at + 1 // this sign-in counts for it
			t.run.mu.Unlock()
		}
		a := t.SignIn(t.Address(), g.Accounts[at])
		clear := a.Err == nil && a.Status >= http.StatusMultipleChoices && a.Status < http.StatusInternalServerError
		if clear && !t.Operation("login").Succeeded(a.Status) && !t.judge("login").Refuses(a.Status, a.RetryAfter() >= 0) {
			t.run.admission.trouble = fmt.Sprintf("account %d of the file cannot sign in: got %s", at+1, a.got())
			if a.Status == http.StatusNotFound || a.Status == http.StatusMethodNotAllowed {
				t.run.admission.trouble += "; are the path and the method of the operation login right in the profile?"
			}
		}
	})
	if t.run.admission.trouble != "" {
		t.mu.Lock()
		t.sent = true
		t.mu.Unlock()
		t.Skip("%s", t.run.admission.trouble)
	}
}
