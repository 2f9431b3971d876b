package clinic

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
	"sync"
	"time"
	_ "time/tzdata" // the image is built from nothing and has no zone files
)

// The kinds of frequency.
const (
	onceDaily       = "once_daily"
	twiceDaily      = "twice_daily"
	threeTimesDaily = "three_times_daily"
	fourTimesDaily  = "four_times_daily"
	everyXHours     = "every_x_hours"
	asNeeded        = "as_needed"
	custom          = "custom"
)

// usualTimes are the times of day of a frequency that comes without its own.
var usualTimes = map[string][]string{
	onceDaily:       {"08:00"},
	twiceDaily:      {"08:00", "20:00"},
	threeTimesDaily: {"08:00", "14:00", "20:00"},
	fourTimesDaily:  {"08:00", "12:00", "16:00", "20:00"},
	everyXHours:     {"08:00"},
}

// The bounds of a schedule. The schema of the request says the same; they are
// checked here once more because what a schedule costs follows from them alone.
const (
	maxEvery = 168 // hours or days
	maxTimes = 24  // of a day
	maxDays  = 30  // ahead
)

// schedule says when doses are due. Times of day are wall-clock times in zone,
// whatever the daylight saving does; every_x_hours is an interval in real
// hours from the first dose.
type schedule struct {
	frequency string
	every     int             // hours of every_x_hours, days of custom, else 1
	times     []time.Duration // since midnight, ascending
	zone      *time.Location
	start     time.Time // date, see day
	end       time.Time // last date, zero for none
}

// newSchedule checks what the fields say together and answers 422 with the
// field that is wrong.
func newSchedule(f MedicationFields, z *zones) (schedule, error) {
	s := schedule{frequency: f.FrequencyType, every: 1}
	var err error
	if s.zone, err = z.load(f.Timezone); err != nil {
		return s, invalid("body.timezone", "must be an IANA time zone, as in Europe/Rome")
	}
	if s.start, err = day(f.StartDate); err != nil || s.start.Year() < 1900 || s.start.Year() > 2199 {
		return s, invalid("body.start_date", "must be a date between 1900 and 2199")
	}
	if f.EndDate != nil {
		if s.end, err = day(*f.EndDate); err != nil || s.end.Before(s.start) || s.end.Year() > 2199 {
			return s, invalid("body.end_date", "must be a date between start_date and 2199")
		}
	}
	if err := s.setEvery(f); err != nil {
		return s, err
	}
	return s, s.setTimes(f)
}

func (s *schedule) setEvery(f MedicationFields) error {
	switch v := f.FrequencyValue; {
	case v != nil && s.frequency != everyXHours && s.frequency != custom:
		return invalid("body.frequency_value", "belongs to every_x_hours (hours) and custom (days) only")
	case v != nil && (*v < 1 || *v > maxEvery):
		return invalid("body.frequency_value", fmt.Sprintf("must be 1 to %d", maxEvery))
	case v != nil:
		s.every = int(*v)
	case s.frequency == everyXHours:
		return invalid("body.frequency_value", "is the number of hours and required with every_x_hours")
	}
	return nil
}

func (s *schedule) setTimes(f MedicationFields) error {
	times := f.ReminderTimes
	want := len(usualTimes[s.frequency])
	switch {
	case s.frequency == asNeeded && len(times) > 0:
		return invalid("body.reminder_times", "must be empty with as_needed")
	case s.frequency == custom && len(times) == 0:
		return invalid("body.reminder_times", "are required with custom")
	case len(times) == 0:
		times = usualTimes[s.frequency]
	case len(times) > maxTimes:
		return invalid("body.reminder_times", fmt.Sprintf("must be at most %d", maxTimes))
	case s.frequency != custom && len(times) != want:
		return invalid("body.reminder_times", fmt.Sprintf("must be %d with %s", want, s.frequency))
	}
	for _, t := range times {
		at, err := timeOfDay(t)
		if err != nil {
			return invalid("body.reminder_times", "must be times of day as HH:MM")
		}
		s.times = append(s.times, at)
	}
	slices.Sort(s.times)
	if len(slices.Compact(slices.Clone(s.times))) != len(s.times) {
		return invalid("body.reminder_times", "must differ from each other")
	}
	return nil
}

// timeOfDay is HH:MM as the time since midnight.
func timeOfDay(s string) (time.Duration, error) {
	t, err := time.Parse("15:04", s)
	if err != nil || len(s) != len("15:04") {
		return 0, errors.New("not a time of day")
	}
	return time.Duration(t.Hour())*time.Hour + time.Duration(t.Minute())*time.Minute, nil
}

// endsAt is the first instant after the last day, and whether there is one.
func (s schedule) endsAt() (time.Time, bool) {
	if s.end.IsZero() {
		return time.Time{}, false
	}
	return wallClock(s.end.AddDate(0, 0, 1), 0, s.zone), true
}

// due gives the times in the first days days of the schedule that are not
// before now, ascending and each once: at most maxTimes a day, for at most maxDays.
func (s schedule) due(now time.Time, days int) []time.Time {
	days, s.every = min(days, maxDays), max(s.every, 1)
	from := wallClock(s.start, 0, s.zone)
	if from.Before(now) {
		from = now
	}
	to := from.Add(time.Duration(days) * 24 * time.Hour)
	if end, ok := s.endsAt(); ok && end.Before(to) {
		to = end
	}
	if s.frequency == everyXHours {
		return s.intervals(from, to)
	}
	var due []time.Time
	local := from.In(s.zone)
	// From the day before, because a zone's gap can push a time past midnight.
	date := time.Date(local.Year(), local.Month(), local.Day()-1, 0, 0, 0, 0, time.UTC)
	for ; date.Before(to.Add(48 * time.Hour)); date = date.AddDate(0, 0, 1) {
		since := int(date.Sub(s.start) / (24 * time.Hour))
		if date.Before(s.start) || since%s.every != 0 || !s.end.IsZero() && date.After(s.end) {
			continue
		}
		for _, at := range s.times {
			if t := wallClock(date, at, s.zone); !t.Before(from) && t.Before(to) {
				due = append(due, t)
			}
		}
	}
	slices.SortFunc(due, time.Time.Compare)
	return slices.CompactFunc(due, time.Time.Equal)
}

// intervals are the doses of every_x_hours in [from, to).
func (s schedule) intervals(from, to time.Time) []time.Time {
	step := time.Duration(s.every) * time.Hour
	t := wallClock(s.start, s.times[0], s.zone)
	if late := from.Sub(t); late > 0 {
		t = t.Add((late + step - 1) / step * step)
	}
	var due []time.Time
	for ; t.Before(to); t = t.Add(step) {
		due = append(due, t)
	}
	return due
}

// wallClock is the instant at which the clocks of the zone show the time of day
// on the date. Shown twice, it is the first; never shown, it is read with the
// offset before the gap, so that 02:30 becomes 03:30 (RFC 5545, 3.3.5).
func wallClock(date time.Time, at time.Duration, zone *time.Location) time.Time {
	shown := date.Add(at) // as if in UTC
	guess := time.Date(shown.Year(), shown.Month(), shown.Day(), shown.Hour(), shown.Minute(), 0, 0, zone)
	begin, end := guess.ZoneBounds()
	if !begin.IsZero() {
		before := shown.Add(-offset(begin.Add(-1))).In(zone)
		if before.Before(begin) && showsAs(before, shown) {
			return before.UTC() // the clocks were put back at begin, and show it again now
		}
		if !showsAs(guess, shown) && guess.Sub(begin) < 24*time.Hour {
			return before.UTC() // the clocks jumped over it at begin
		}
	}
	if !end.IsZero() && !showsAs(guess, shown) {
		return shown.Add(-offset(end.Add(-1))).UTC() // they will jump over it at end
	}
	return guess.UTC()
}

func offset(t time.Time) time.Duration {
	_, seconds := t.Zone()
	return time.Duration(seconds) * time.Second
}

func showsAs(t, shown time.Time) bool { return t.Add(offset(t)).Equal(shown) }

// zones keeps the time zones that were asked for, of which there are some 600:
// loading one reads a file.
type zones struct{ known sync.Map }

func (z *zones) load(name string) (*time.Location, error) {
	if l, ok := z.known.Load(name); ok {
		return l.(*time.Location), nil
	}
	// Not the machine's own zone; and each zone by one spelling, or the map would
	// grow with the ways to write Europe//Rome.
	if l := strings.ToLower(name); l == "" || l == "local" || l == "localtime" || path.Clean("/"+name) != "/"+name {
		return nil, errors.New("not the name of a zone")
	}
	l, err := time.LoadLocation(name)
	if err != nil {
		return nil, err
	}
	z.known.Store(name, l)
	return l, nil
}
