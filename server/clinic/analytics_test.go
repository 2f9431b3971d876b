package clinic

import (
	"fmt"
	"math"
	"math/rand/v2"
	"net/url"
	"testing"
	"time"

	"vitals/server/store"
	"vitals/server/store/storetest"
)

// TestAdherenceByHand logs at random and counts with the fingers: all actions,
// voided ones, and logs on the edges of the period.
func TestAdherenceByHand(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db store.DB) {
		b := newBench(t, db)
		b.now = noon.AddDate(0, 0, 40)
		r := rand.New(rand.NewPCG(3, 4))
		actions := []string{taken, skipped, missed}
		var pills []Medication
		for i := range 3 {
			pills = append(pills, b.addPill(ann, map[string]any{"name": fmt.Sprintf("Pill %d", i), "frequency_type": "as_needed", "reminder_times": nil}))
		}
		other := b.addPill(bob, nil)
		type fact struct {
			pill   int
			action string
			at     time.Time
			voided bool
		}
		var facts []fact
		for range 120 {
			f := fact{r.IntN(3), actions[r.IntN(3)], noon.Add(time.Duration(r.IntN(40*24)) * time.Hour), r.IntN(6) == 0}
			facts = append(facts, f)
			l := want[Log](b, 201, ann, "POST", "/logs", map[string]any{
				"medication_id": pills[f.pill].ID, "action": f.action, "source": "api", "taken_at": f.at})
			if f.voided {
				want[Log](b, 200, ann, "POST", "/logs/"+l.ID+"/void", nil)
			}
		}
		want[Log](b, 201, bob, "POST", "/logs", map[string]any{"medication_id": other.ID, "action": "missed", "source": "api", "taken_at": noon})

		for range 30 {
			from := noon.Add(time.Duration(r.IntN(40*24)) * time.Hour)
			to := from.Add(time.Duration(1+r.IntN(20*24)) * time.Hour)
			counts := map[int]map[string]int64{}
			all := map[string]int64{}
			for _, f := range facts {
				if f.voided || f.at.Before(from) || !f.at.Before(to) {
					continue
				}
				if counts[f.pill] == nil {
					counts[f.pill] = map[string]int64{}
				}
				counts[f.pill][f.action]++
				all[f.action]++
			}
			got := want[AdherenceReport](b, 200, ann, "GET", "/analytics/adherence?"+period(from, to), nil)
			checkAdherence(t, "overall", got.Overall, all, from, to)
			if len(got.ByMedication) != len(counts) {
				t.Errorf("got %d medications, want %d", len(got.ByMedication), len(counts))
			}
			for _, m := range got.ByMedication {
				for i, p := range pills {
					if p.ID == m.MedicationID {
						checkAdherence(t, m.MedicationName, m.Adherence, counts[i], from, to)
						if m.MedicationName != p.Name {
							t.Errorf("got name %q, want %q", m.MedicationName, p.Name)
						}
					}
				}
			}
		}
	})
}

func checkAdherence(t *testing.T, name string, got Adherence, want map[string]int64, from, to time.Time) {
	t.Helper()
	if got.Taken != want[taken] || got.Skipped != want[skipped] || got.Missed != want[missed] ||
		got.Total != want[taken]+want[skipped]+want[missed] || !got.PeriodStart.Equal(from) || !got.PeriodEnd.Equal(to) {
		t.Errorf("%s from %s to %s: got %+v, want %v", name, from, to, got, want)
	}
	due := want[taken] + want[missed]
	if due == 0 {
		if got.AdherenceRate != nil {
			t.Errorf("%s: got rate %v, want null", name, *got.AdherenceRate)
		}
		return
	}
	exact := 100 * float64(want[taken]) / float64(due)
	if got.AdherenceRate == nil || math.Abs(*got.AdherenceRate-exact) > 0.005+1e-9 ||
		math.Abs(*got.AdherenceRate*100-math.Round(*got.AdherenceRate*100)) > 1e-6 {
		t.Errorf("%s: got rate %v, want %.2f", name, got.AdherenceRate, exact)
	}
}

func period(from, to time.Time) string {
	return url.Values{"from": {from.Format(time.RFC3339)}, "to": {to.Format(time.RFC3339)}}.Encode()
}

func TestRate(t *testing.T) {
	for _, tt := range []struct {
		taken, missed int64
		want          float64
	}{{1, 0, 100}, {0, 1, 0}, {2, 1, 66.67}, {1, 2, 33.33}, {1, 7, 12.5}, {1, 799, 0.13}, {999, 1, 99.9}, {99999, 1, 100}} {
		a := Adherence{Taken: tt.taken, Missed: tt.missed}
		if a.rate(); *a.AdherenceRate != tt.want {
			t.Errorf("%d taken, %d missed: got %v, want %v", tt.taken, tt.missed, *a.AdherenceRate, tt.want)
		}
	}
}

func TestReportPeriods(t *testing.T) {
	b := newBench(t, storetest.SQLite(t))
	got := want[AdherenceReport](b, 200, ann, "GET", "/analytics/adherence", nil)
	if !got.Overall.PeriodEnd.Equal(noon) || !got.Overall.PeriodStart.Equal(noon.AddDate(0, 0, -30)) || got.ByMedication == nil {
		t.Errorf("got %+v, want the last 30 days and an empty list", got)
	}
	b.refuse(200, doctor, "GET", "/analytics/adherence?patient_id="+annID+"&"+period(noon, noon.Add(366*24*time.Hour)), nil)
	for _, q := range []string{
		period(noon, noon.Add(366*24*time.Hour+time.Second)), period(noon, noon), period(noon, noon.Add(-time.Hour)),
		"from=0001-01-02T00:00:00Z", "from=yesterday", "from=2026-07-01", "patient_id=1",
	} {
		b.refuse(422, ann, "GET", "/analytics/adherence?"+q, nil)
	}
	for _, path := range []string{"/analytics/adherence", "/analytics/recent"} {
		b.refuse(422, doctor, "GET", path, nil)
		b.refuse(404, doctor, "GET", path+"?patient_id="+anyID(), nil)
	}
	b.refuse(422, ann, "GET", "/analytics/recent?days=91", nil)
	b.refuse(422, ann, "GET", "/analytics/recent?days=0", nil)
}

func TestRecent(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db store.DB) {
		b := newBench(t, db)
		if got := want[Recent](b, 200, ann, "GET", "/analytics/recent", nil); got != (Recent{PeriodDays: 7}) {
			t.Errorf("got %+v, want nothing in 7 days", got)
		}
		one, two := b.addPill(ann, nil), b.addPill(ann, nil)
		for id, days := range map[string][]int{one.ID: {1, 2, 100}, two.ID: {3, 10}} {
			for _, d := range days {
				want[Log](b, 201, ann, "POST", "/logs", map[string]any{
					"medication_id": id, "action": "taken", "source": "wearable", "taken_at": noon.AddDate(0, 0, -d)})
			}
		}
		got := want[Recent](b, 200, doctor, "GET", "/analytics/recent?days=7&patient_id="+annID, nil)
		if got.TotalLogs != 3 || got.UniqueMedications != 2 || !got.LastLogAt.Equal(noon.AddDate(0, 0, -1)) || got.PeriodDays != 7 {
			t.Errorf("got %+v, want 3 logs of 2 medications, the last a day ago", got)
		}
	})
}
