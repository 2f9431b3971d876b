package load

import (
	"slices"
	"testing"
	"time"
)

func TestProbeGenerator(t *testing.T) {
	var told []string
	p, err := ProbeGenerator(t.Context(), nullProcess(t), 200*time.Millisecond, func(what string) { told = append(told, what) })
	if err != nil {
		t.Fatal(err)
	}
	if p.MaxRate < 1000 || p.MaxCPU <= 0 || len(told) != 4 {
		t.Errorf("got %+v and %q, want a rate, its cost, and four steps told", p, told)
	}
	rates := []float64{}
	for _, r := range p.Rates {
		rates = append(rates, r.Rate)
		if r.Sent != 1 || r.Lag99 < r.Lag50 || r.Service <= 0 || r.CPU <= 0 {
			t.Errorf("got %+v, want all sent and every figure there", r)
		}
	}
	if !slices.Equal(rates, []float64{1000, 5000, 10000}) {
		t.Errorf("got rates %v", rates)
	}
}
