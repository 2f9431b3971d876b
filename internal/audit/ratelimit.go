package audit

import (
	"regexp"
	"strconv"
	"strings"
	"time"

	"vitals/internal/profile"
)

// parameters of draft-ietf-httpapi-ratelimit-headers: "default";r=4;t=300 and
// "default";q=5;w=300, in older drafts limit=5, remaining=4, reset=300.
var ietfParameter = regexp.MustCompile(`(?:^|[;,\s])(q|w|r|t|limit|remaining|reset)=("?)(\d+)"?`)

// ietf reads what an answer announces in RateLimit and RateLimit-Policy, or in the
// three fields of older drafts; -1 = not told.
func ietf(a Answer) (limit, window, left, reset int) {
	limit, window, left, reset = -1, -1, -1, -1
	for _, line := range append(a.Header.Values("RateLimit"), a.Header.Values("RateLimit-Policy")...) {
		for _, m := range ietfParameter.FindAllStringSubmatch(line, -1) {
			n, _ := strconv.Atoi(m[3]) // digits, by the pattern
			switch m[1] {
			case "q", "limit":
				limit = n
			case "w":
				window = n
			case "r", "remaining":
				left = n
			case "t", "reset":
				reset = n
			}
		}
	}
	for name, into := range map[string]*int{"RateLimit-Limit": &limit, "RateLimit-Remaining": &left, "RateLimit-Reset": &reset} {
		first, _, _ := strings.Cut(a.Header.Get(name), ",")
		if n, err := strconv.Atoi(strings.TrimSpace(first)); err == nil && *into < 0 {
			*into = n
		}
	}
	return limit, window, left, reset
}

// ietfHeaders checks what an answer tells of its limit in the form of the IETF draft.
func (t *T) ietfHeaders(a Answer, l profile.Limit, left int) {
	limit, window, got, reset := ietf(a)
	told := strings.Join(append(a.Header.Values("RateLimit"), a.Header.Values("RateLimit-Policy")...), ", ")
	t.Check(limit == l.Limit, "%v (%d): the limit told is %d, want %d: %q", a, a.Status, limit, l.Limit, told)
	t.Check(got == left, "%v (%d): %d left is told, want %d: %q", a, a.Status, got, left, told)
	t.Check(window < 0 || l.Window == 0 || window == int(l.Window/time.Second), "%v (%d): the window told is %d s, want %v: %q", a, a.Status, window, l.Window, told)
	t.Check(reset <= int((max(l.Window, l.Lock)+time.Second)/time.Second), "%v (%d): a reset in %d s is told, beyond the window: %q", a, a.Status, reset, told)
}
