package faults

import (
	"fmt"
	"time"

	"vitals/internal/measure"
)

// steady is how many slices in a row without an error are a recovery.
const steady = 3

// Recovery is the longest time from a fault's end to the first slice of the
// series from which on requests went as expected again: three slices in a row, or
// all that there are before the next fault. The precision is one slice. A run that
// ended outside has its whole rest, if that is as long as recovery may take.
func Recovery(res *measure.Result, outages []Outage, spare time.Duration) (measure.Fact, bool) {
	fact := measure.Fact{Name: RecoveryFact, Unit: "s", Value: -1}
	for i, out := range outages {
		until := res.Took
		covered := out.Over == 0
		for k, other := range outages {
			if k == i || other.Over == 0 {
				continue
			}
			covered = covered || other.Began <= out.Over && other.Over > out.Over // recovery counts from the last end
			if other.Began > out.Over {
				until = min(until, other.Began)
			}
		}
		if covered {
			continue
		}
		took, n, back := quietAfter(res.Series, out.Over, until)
		if !back {
			if took = until - out.End(); took < spare {
				return fact, false
			}
			fact.Note = fmt.Sprintf("still not as expected %s after %s; ", took.Round(time.Second), out.Text)
		}
		fact.Value, fact.N = max(fact.Value, took.Seconds()), fact.N+n
	}
	fact.Note += fmt.Sprintf("from a fault's end until requests went as expected again, to the slice of %s", res.Series.Every)
	return fact, fact.N > 0
}

// quietAfter looks for the first of steady slices without an error after an
// offset; slices in which nothing was sent are passed over.
func quietAfter(s measure.Series, from, until time.Duration) (took time.Duration, n int64, back bool) {
	row := 0
	for _, sl := range s.Slices {
		if sl.At+s.Every <= from || sl.At >= until || sl.Counts.Sent == 0 {
			continue
		}
		n += sl.Counts.Sent
		if sl.Counts.Errors > 0 {
			row = 0
			continue
		}
		if row++; row == 1 {
			took = max(0, sl.At-from)
		}
		if row == steady {
			break
		}
	}
	return took, n, row > 0
}
