package limit

import (
	"fmt"
	"net/http"
	"strconv"
	"time"
)

// seconds rounds up, so that a client that waits as long as we say is never too early.
func seconds(d time.Duration) int64 {
	return int64((max(0, d) + time.Second - 1) / time.Second)
}

// setHeaders writes what a client may know of its quota, on
// success and failure alike; X-RateLimit-Reset in epoch seconds, ietf
// adds the two fields of the IETF draft, in seconds from now. What is not known is
// left out, and not as it was before: a client would plan by a wrong number.
func setHeaders(h http.Header, p Policy, d Decision, now time.Time, ietf bool) {
	window := int64(p.Window / time.Second)
	reset := now.Add(d.Reset)
	epoch := reset.Unix()
	if reset.Nanosecond() > 0 {
		epoch++
	}
	h.Set("X-RateLimit-Limit", strconv.Itoa(p.Limit))
	h.Set("X-RateLimit-Remaining", strconv.Itoa(d.Remaining))
	h.Set("X-RateLimit-Reset", strconv.FormatInt(epoch, 10))
	h.Set("X-RateLimit-Window", strconv.FormatInt(window, 10))
	h.Set("X-RateLimit-Policy", p.Name)
	if ietf {
		h.Set("RateLimit-Policy", fmt.Sprintf("%q;q=%d;w=%d", p.Name, p.Limit, window))
		h.Set("RateLimit", fmt.Sprintf("%q;r=%d;t=%d", p.Name, d.Remaining, seconds(d.Reset)))
	}
	if d.Untold {
		for _, name := range []string{"X-RateLimit-Remaining", "X-RateLimit-Reset", "RateLimit"} {
			h.Del(name)
		}
	}
}
