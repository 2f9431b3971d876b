package limitcheck

import (
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Wait reads a Retry-After: whole seconds, or a date (RFC 9110, 10.2.3), which asks
// for the time from at until then, to the nearest second (a date has whole ones, and a
// lock of 180 s is told as up to 181 or down to 179 by its server's rounding), and for 0
// when it is past. It is -1
// and false for what is neither. No wait is longer than 2^31-1 seconds, which are 68
// years.
func Wait(value string, at time.Time) (seconds int, ok bool) {
	value = strings.TrimSpace(value)
	if value != "" && strings.Trim(value, "0123456789") == "" {
		n, err := strconv.ParseInt(value, 10, 64)
		if err != nil || n > math.MaxInt32 {
			n = math.MaxInt32
		}
		return int(n), true
	}
	date, err := http.ParseTime(value)
	if err != nil {
		return -1, false
	}
	return int(min(math.MaxInt32, max(0, math.Round(date.Sub(at).Seconds())))), true
}
