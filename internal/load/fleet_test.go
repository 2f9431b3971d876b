package load

import (
	"net/url"
	"testing"
	"time"

	"vitals/scenarios"
)

// Every replica has its share of arrivals and of users.
func TestReplicasShareTheLoad(t *testing.T) {
	for _, model := range []scenarios.Model{scenarios.Arrivals, scenarios.Users} {
		t.Run(string(model), func(t *testing.T) {
			one, two := newNullServer(t, nil), newNullServer(t, nil)
			sc := ping(constant(model, 30, time.Second), 100*time.Millisecond)
			rec := record(sc)
			o, err := Run(t.Context(), sc, rec, Options{Base: one.url(), Replicas: []*url.URL{one.url(), two.url()}, Seed: 1})
			if err != nil {
				t.Fatal(err)
			}
			a, b := one.served.Load(), two.served.Load()
			if a+b != o.Counts.Sent || o.Counts.Planned != o.Counts.Sent {
				t.Errorf("the servers saw %d and %d, we counted %+v", a, b, o.Counts)
			}
			if model == scenarios.Arrivals && a != b || min(a, b) < o.Counts.Sent/3 {
				t.Errorf("one replica served %d, the other %d", a, b)
			}
			if o.Conns < 2 {
				t.Errorf("got %d connections counted, want those to both", o.Conns)
			}
		})
	}
}
