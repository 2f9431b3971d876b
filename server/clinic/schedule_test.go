package clinic

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"vitals/server/web"
)

func plan(t *testing.T, f MedicationFields) schedule {
	t.Helper()
	s, err := newSchedule(f, new(zones))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func at(t *testing.T, text string) time.Time {
	t.Helper()
	v, err := time.Parse(time.RFC3339, text)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func stamps(times []time.Time) []string {
	out := []string{}
	for _, t := range times {
		out = append(out, t.UTC().Format("01-02T15:04"))
	}
	return out
}

func ptr[T any](v T) *T { return &v }

func TestDue(t *testing.T) {
	tests := map[string]struct {
		fields MedicationFields
		now    string
		days   int
		want   []string // UTC
	}{
		"usual times, from now on": {
			MedicationFields{FrequencyType: twiceDaily, Timezone: "UTC", StartDate: "2026-07-01"},
			"2026-07-01T08:00:00Z", 1, []string{"07-01T08:00", "07-01T20:00"},
		},
		"nothing before the start, days counted from it": {
			MedicationFields{FrequencyType: onceDaily, Timezone: "Europe/Rome", StartDate: "2026-07-10"},
			"2026-07-01T12:00:00Z", 2, []string{"07-10T06:00", "07-11T06:00"},
		},
		"the last day is whole": {
			MedicationFields{FrequencyType: custom, ReminderTimes: []string{"23:59", "00:00"}, Timezone: "America/New_York",
				StartDate: "2026-07-01", EndDate: ptr("2026-07-02")},
			"2026-07-01T00:00:00Z", 30, []string{"07-01T04:00", "07-02T03:59", "07-02T04:00", "07-03T03:59"},
		},
		"over": {
			MedicationFields{FrequencyType: onceDaily, Timezone: "UTC", StartDate: "2026-06-01", EndDate: ptr("2026-06-30")},
			"2026-07-01T00:00:00Z", 30, []string{},
		},
		"as needed": {
			MedicationFields{FrequencyType: asNeeded, Timezone: "UTC", StartDate: "2026-07-01"},
			"2026-07-01T00:00:00Z", 30, []string{},
		},
		"every third day, counted from the start": {
			MedicationFields{FrequencyType: custom, FrequencyValue: ptr[int64](3), ReminderTimes: []string{"10:00"}, Timezone: "UTC", StartDate: "2026-06-29"},
			"2026-07-01T00:00:00Z", 8, []string{"07-02T10:00", "07-05T10:00", "07-08T10:00"},
		},
		"every 10 hours from the first dose": {
			MedicationFields{FrequencyType: everyXHours, FrequencyValue: ptr[int64](10), ReminderTimes: []string{"06:00"}, Timezone: "UTC", StartDate: "2026-06-30"},
			"2026-07-01T00:00:00Z", 1, []string{"07-01T02:00", "07-01T12:00", "07-01T22:00"},
		},
		"every 8 hours stays 8 hours while the clocks go forward": {
			MedicationFields{FrequencyType: everyXHours, FrequencyValue: ptr[int64](8), ReminderTimes: []string{"00:00"}, Timezone: "Europe/Rome", StartDate: "2026-03-29"},
			"2026-03-28T12:00:00Z", 1, []string{"03-28T23:00", "03-29T07:00", "03-29T15:00"},
		},
		"skipped hour: 02:30 becomes 03:30 (Rome)": {
			MedicationFields{FrequencyType: onceDaily, ReminderTimes: []string{"02:30"}, Timezone: "Europe/Rome", StartDate: "2026-03-28"},
			"2026-03-28T00:00:00Z", 3, []string{"03-28T01:30", "03-29T01:30", "03-30T00:30"},
		},
		"doubled hour: 02:30 is the first (Rome)": {
			MedicationFields{FrequencyType: onceDaily, ReminderTimes: []string{"02:30"}, Timezone: "Europe/Rome", StartDate: "2026-10-24"},
			"2026-10-24T00:00:00Z", 3, []string{"10-24T00:30", "10-25T00:30", "10-26T01:30"},
		},
		"skipped hour: 02:30 becomes 03:30 (New York)": {
			MedicationFields{FrequencyType: onceDaily, ReminderTimes: []string{"02:30"}, Timezone: "America/New_York", StartDate: "2026-03-08"},
			"2026-03-08T05:00:00Z", 1, []string{"03-08T07:30"},
		},
		"skipped hour meets a time of its own: once": {
			MedicationFields{FrequencyType: custom, ReminderTimes: []string{"02:30", "03:30"}, Timezone: "Europe/Rome", StartDate: "2026-03-29"},
			"2026-03-28T23:00:00Z", 1, []string{"03-29T01:30"},
		},
		"half an hour of daylight saving (Lord Howe)": {
			MedicationFields{FrequencyType: onceDaily, ReminderTimes: []string{"02:15"}, Timezone: "Australia/Lord_Howe", StartDate: "2026-10-04"},
			"2026-10-03T13:00:00Z", 1, []string{"10-03T15:45"},
		},
		"midnight that is not there (Beirut)": {
			MedicationFields{FrequencyType: onceDaily, ReminderTimes: []string{"00:00"}, Timezone: "Asia/Beirut", StartDate: "2026-03-29"},
			"2026-03-28T12:00:00Z", 1, []string{"03-28T22:00", "03-29T21:00"},
		},
		"the day that Samoa left out": {
			MedicationFields{FrequencyType: onceDaily, ReminderTimes: []string{"08:00"}, Timezone: "Pacific/Apia", StartDate: "2011-12-29"},
			"2011-12-29T10:00:00Z", 3, []string{"12-29T18:00", "12-30T18:00", "12-31T18:00"},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got := stamps(plan(t, tt.fields).due(at(t, tt.now), tt.days))
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("due times (-want +got):\n%s", diff)
			}
		})
	}
}

// TestWallClock holds wallClock against a search minute by minute around the
// changes of the clocks, in zones with odd ones.
func TestWallClock(t *testing.T) {
	names := []string{
		"Europe/Rome", "America/New_York", "America/St_Johns", "Australia/Lord_Howe", "Asia/Beirut", "Africa/Cairo",
		"America/Santiago", "Pacific/Apia", "Pacific/Kwajalein", "Asia/Kathmandu", "Africa/Casablanca", "Antarctica/Troll", "America/Caracas",
	}
	for _, name := range names {
		zone, err := time.LoadLocation(name)
		if err != nil {
			t.Fatal(err)
		}
		changes := 0
		for from := time.Date(1990, 1, 1, 0, 0, 0, 0, zone); from.Year() < 2027; {
			_, change := from.ZoneBounds()
			if change.IsZero() {
				break
			}
			changes++
			from = change.Add(time.Hour)
			for minute := -30 * 60; minute <= 30*60; minute += 15 {
				shown := change.Add(offset(change)).Add(time.Duration(minute) * time.Minute).UTC()
				if shown.Second() != 0 {
					continue
				}
				midnight := shown.Truncate(24 * time.Hour)
				got := wallClock(midnight, shown.Sub(midnight), zone)
				if want := searchWallClock(shown, change, zone); !got.Equal(want) {
					t.Fatalf("%s, clocks show %s: got %s, want %s", name, shown.Format(time.DateTime), got, want.UTC())
				}
			}
		}
		if changes == 0 && name != "Asia/Kathmandu" {
			t.Errorf("%s: found no change of the clocks", name)
		}
	}
}

// searchWallClock is the first instant near the change at which the clocks show
// the time, or, when they never do, the one the old offset gives.
func searchWallClock(shown, change time.Time, zone *time.Location) time.Time {
	for t := shown.Add(-16 * time.Hour); t.Before(shown.Add(16 * time.Hour)); t = t.Add(15 * time.Minute) {
		if showsAs(t.In(zone), shown) {
			return t
		}
	}
	return shown.Add(-offset(change.Add(-time.Second).In(zone)))
}

// TestDueProperties: ascending, each once, in the window, at most 24 a day,
// and going on where one window ends gives what one longer window gives.
func TestDueProperties(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	kinds := []string{onceDaily, twiceDaily, threeTimesDaily, fourTimesDaily, everyXHours, custom}
	names := []string{"UTC", "Europe/Rome", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia", "Asia/Kathmandu"}
	for range 2000 {
		f := MedicationFields{FrequencyType: kinds[r.IntN(len(kinds))], Timezone: names[r.IntN(len(names))]}
		start := time.Date(2011+r.IntN(16), time.Month(1+r.IntN(12)), 1+r.IntN(28), 0, 0, 0, 0, time.UTC)
		f.StartDate = start.Format(time.DateOnly)
		if f.FrequencyType == everyXHours {
			f.FrequencyValue = ptr(int64(1 + r.IntN(48)))
		}
		if f.FrequencyType == custom {
			for _, h := range r.Perm(24)[:1+r.IntN(24)] {
				f.ReminderTimes = append(f.ReminderTimes, time.Date(0, 1, 1, h, 30*r.IntN(2), 0, 0, time.UTC).Format("15:04"))
			}
		}
		if r.IntN(3) == 0 {
			f.EndDate = ptr(start.AddDate(0, 0, r.IntN(40)).Format(time.DateOnly))
		}
		s := plan(t, f)
		now := start.Add(time.Duration(r.IntN(60*24)-10*24) * time.Hour)
		due := s.due(now, 30)
		if len(due) > 24*31 {
			t.Fatalf("%+v: got %d times in 30 days", f, len(due))
		}
		for i, d := range due {
			if d.Before(now) || i > 0 && !due[i-1].Before(d) {
				t.Fatalf("%+v from %s: time %d is %s after %s", f, now, i, d, due[max(i-1, 0)])
			}
		}
		if now.Before(start.Add(24 * time.Hour)) {
			continue // the windows below begin at the start, not at now
		}
		split := append(s.due(now, 10), s.due(now.Add(10*24*time.Hour), 20)...)
		if !slices.EqualFunc(due, split, time.Time.Equal) {
			t.Fatalf("%+v from %s: 10 and 20 days give %d times, 30 give %d", f, now, len(split), len(due))
		}
	}
}

// What a schedule costs is bounded by itself, whatever it was made of.
func TestScheduleEndsWhateverItHolds(t *testing.T) {
	for _, every := range []int{-1 << 40, -1, 0} {
		for _, frequency := range []string{everyXHours, custom} {
			s := plan(t, MedicationFields{FrequencyType: onceDaily, Timezone: "UTC", StartDate: "2026-07-01"})
			s.frequency, s.every = frequency, every
			if got := len(s.due(at(t, "2026-07-01T00:00:00Z"), 20_000)); got > maxDays*maxTimes {
				t.Errorf("%s, every %d: got %d times, want at most %d", frequency, every, got, maxDays*maxTimes)
			}
		}
	}
}

func TestNewScheduleRefuses(t *testing.T) {
	good := MedicationFields{FrequencyType: onceDaily, Timezone: "UTC", StartDate: "2026-07-01"}
	tests := map[string]struct {
		change func(*MedicationFields)
		field  string
	}{
		"zone unknown":        {func(f *MedicationFields) { f.Timezone = "Mars/Base" }, "timezone"},
		"zone of the machine": {func(f *MedicationFields) { f.Timezone = "Local" }, "timezone"},
		"zone of the file":    {func(f *MedicationFields) { f.Timezone = "localtime" }, "timezone"},
		"zone misspelt":       {func(f *MedicationFields) { f.Timezone = "Europe//Rome" }, "timezone"},
		"zone a folder":       {func(f *MedicationFields) { f.Timezone = "Europe/" }, "timezone"},
		"zone absolute":       {func(f *MedicationFields) { f.Timezone = "/Europe/Rome" }, "timezone"},
		"zone empty":          {func(f *MedicationFields) { f.Timezone = "" }, "timezone"},
		"zone a path":         {func(f *MedicationFields) { f.Timezone = "../../etc/passwd" }, "timezone"},
		"start long ago":      {func(f *MedicationFields) { f.StartDate = "0001-01-01" }, "start_date"},
		"end before start":    {func(f *MedicationFields) { f.EndDate = ptr("2026-06-30") }, "end_date"},
		"too many times":      {func(f *MedicationFields) { f.ReminderTimes = []string{"08:00", "09:00"} }, "reminder_times"},
		"no such time":        {func(f *MedicationFields) { f.ReminderTimes = []string{"24:00"} }, "reminder_times"},
		"time without zero":   {func(f *MedicationFields) { f.ReminderTimes = []string{"8:00"} }, "reminder_times"},
		"same time twice": {func(f *MedicationFields) {
			f.FrequencyType, f.ReminderTimes = twiceDaily, []string{"08:00", "08:00"}
		}, "reminder_times"},
		"custom without times": {func(f *MedicationFields) { f.FrequencyType = custom }, "reminder_times"},
		"as needed with times": {func(f *MedicationFields) { f.FrequencyType, f.ReminderTimes = asNeeded, []string{"08:00"} }, "reminder_times"},
		"hours without number": {func(f *MedicationFields) { f.FrequencyType = everyXHours }, "frequency_value"},
		"hours below one":      {func(f *MedicationFields) { f.FrequencyType, f.FrequencyValue = everyXHours, ptr[int64](-1) }, "frequency_value"},
		"no hours":             {func(f *MedicationFields) { f.FrequencyType, f.FrequencyValue = everyXHours, ptr[int64](0) }, "frequency_value"},
		"years of hours":       {func(f *MedicationFields) { f.FrequencyType, f.FrequencyValue = everyXHours, ptr[int64](1<<62) }, "frequency_value"},
		"times without end": {func(f *MedicationFields) {
			f.FrequencyType = custom
			for i := range 1000 {
				f.ReminderTimes = append(f.ReminderTimes, time.Unix(int64(i)*60, 0).UTC().Format("15:04"))
			}
		}, "reminder_times"},
		"number without a need": {func(f *MedicationFields) { f.FrequencyValue = ptr[int64](2) }, "frequency_value"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			f := good
			tt.change(&f)
			_, err := newSchedule(f, new(zones))
			p, ok := err.(*web.Problem)
			if !ok || p.Status != 422 || len(p.Errors) != 1 || p.Errors[0].Field != "body."+tt.field {
				t.Errorf("got %v, want 422 about %s", err, tt.field)
			}
		})
	}
}

func FuzzTimeOfDay(f *testing.F) {
	for _, s := range []string{"08:00", "24:00", "8:00", "00:60", "", "0a:00", "23:59", "+1:00"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, err := timeOfDay(s)
		if err != nil {
			return
		}
		if back := (time.Time{}).Add(got).Format("15:04"); back != s || strings.Contains(s, "+") {
			t.Errorf("timeOfDay(%q) = %v, which is %q", s, got, back)
		}
	})
}
