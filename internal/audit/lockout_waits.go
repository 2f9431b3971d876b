package audit

import (
	"net/netip"
	"time"

	"vitals/internal/profile"
)

// waits checks that a wait which grows is told and kept, its first two times: after most of
// it, or what of it is waited for here, a try is still refused.
func (t *T) waits(from netip.Addr, email string, judged, refused Answer, l profile.Limit) {
	for n := range 2 {
		wait := l.Delay.After(n)
		if left := wait - refused.Done.Sub(judged.Sent); t.tellsWait() && refused.RetryAfter() >= 0 {
			t.counts("login", refused.RetryAfter() >= int(left/time.Second), "%v: Retry-After is %q, want %d or more of a wait of %v", refused, refused.Header.Get("Retry-After"), int(left/time.Second), wait)
		}
		t.sleep(time.Until(judged.Done.Add(min(wait*3/4, 5*time.Second))))
		a := t.Guess(from, email)
		if since := a.Done.Sub(judged.Sent); since < wait && !t.counts("login", t.read("login", a) == profile.Refused, "%v: got %s %v after the last try that was judged, want it refused: the wait is to be %v", a, a.got(), since.Round(10*time.Millisecond), wait) {
			return
		}
		if n > 0 || wait > 10*time.Second {
			return
		}
		t.sleep(time.Until(judged.Done.Add(wait + time.Second)))
		if judged = t.Guess(from, email); t.read("login", judged) != profile.Wrong {
			return // tries amid the wait may have made it longer
		}
		refused = t.Guess(from, email)
		if !t.counts("login", t.read("login", refused) == profile.Refused, "%v: got %s right after a try that was judged, want it refused: the wait is to be %v", refused, refused.got(), l.Delay.After(1)) {
			return
		}
	}
}
