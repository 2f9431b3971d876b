package limitcheck

import (
	"net/http"
	"testing"
	"time"
)

// A Retry-After is seconds or a date, and nothing else is taken for a wait.
func TestWait(t *testing.T) {
	now := time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)
	for value, want := range map[string]int{
		"0": 0, "900": 900, " 900 ": 900, "2000000000": 2000000000, "99999999999999999999": 1<<31 - 1,
		now.Add(15 * time.Minute).Format(http.TimeFormat): 900,
		now.Add(-time.Minute).Format(http.TimeFormat):     0,
		"Saturday, 28-Nov-26 12:15:00 GMT":                900, // RFC 850, which HTTP still reads
		"-5":                                              -1, "1.5": -1, "soon": -1, "": -1, "900s": -1,
	} {
		if got, ok := Wait(value, now); got != want || ok != (want >= 0) {
			t.Errorf("Wait(%q): got %d, %v, want %d", value, got, ok, want)
		}
	}
	// A date that a lock of 180 s rounds up to is no longer wait than promised.
	if got, _ := Wait(now.Add(181*time.Second).Format(http.TimeFormat), now.Add(600*time.Millisecond)); got != 180 {
		t.Errorf("a date 180.4 s ahead: got %d, want 180", got)
	}
}
