package audit

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"vitals/internal/wire"
)

// fetch reads a page.
func (g *Target) fetch(ctx context.Context, page *url.URL) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, page.String(), nil)
	if err != nil {
		return nil, err
	}
	resp, err := (&http.Client{Timeout: timeout, Transport: wire.Pages(g.TLS)}).Do(req)
	if err != nil {
		return nil, fmt.Errorf("scrape metrics: %w", err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("scrape metrics: status %d", resp.StatusCode)
	}
	return io.ReadAll(io.LimitReader(resp.Body, 16<<20))
}

// scrape reads a Prometheus page.
func (g *Target) scrape(ctx context.Context, page *url.URL) (map[string]*dto.MetricFamily, error) {
	text, err := g.fetch(ctx, page)
	if err != nil {
		return nil, err
	}
	parser := expfmt.NewTextParser(model.UTF8Validation)
	return parser.TextToMetricFamilies(bytes.NewReader(text))
}

// sum adds the values of a family's series that carry the labels.
func sum(families map[string]*dto.MetricFamily, name string, labels map[string]string) float64 {
	total := 0.0
	for _, m := range families[name].GetMetric() {
		have := map[string]string{}
		for _, l := range m.GetLabel() {
			have[l.GetName()] = l.GetValue()
		}
		match := true
		for k, v := range labels {
			match = match && have[k] == v
		}
		if match {
			total += m.GetCounter().GetValue() + m.GetGauge().GetValue() + m.GetUntyped().GetValue()
		}
	}
	return total
}

// labelled tells whether a family has series with all of the labels.
func labelled(f *dto.MetricFamily, names ...string) bool {
	return slices.ContainsFunc(f.GetMetric(), func(m *dto.Metric) bool {
		for _, name := range names {
			if !slices.ContainsFunc(m.GetLabel(), func(l *dto.LabelPair) bool { return l.GetName() == name }) {
				return false
			}
		}
		return true
	})
}

func countersAgree(t *T) {
	if t.target.Admin == nil {
		t.Skip("it needs the target's metrics page (--metrics URL, or a stack of your own)")
	}
	s := t.Session()
	from, next := t.Address(), t.strangers()
	before, err := t.target.scrape(t.ctx, t.target.Admin)
	if err != nil {
		t.Skip("%v", err)
	}
	sent := map[[2]string]float64{} // route, status
	note := func(name string, a Answer) {
		sent[[2]string{t.Operation(name).Path, strconv.Itoa(a.Status)}]++
	}
	for range 7 {
		note("login", t.Guess(from, next()))
	}
	for range 9 {
		note("me", t.Do("me", s.from, s.access, nil))
	}
	note("me", t.Do("me", from, "", nil))
	after, err := t.target.scrape(t.ctx, t.target.Admin)
	if err != nil {
		t.Skip("%v", err)
	}
	const requests, lockouts = "http_requests_total", "ratelimit_lockouts_total"
	if !labelled(after[requests], "route", "status") {
		t.Skip("the metrics page has no %s by route and status, and the profile declares no other counter", requests)
	}
	for at, want := range sent {
		labels := map[string]string{"route": at[0], "status": at[1]}
		got := sum(after, requests, labels) - sum(before, requests, labels)
		t.Check(got == want, "%s{route=%s,status=%s}: the server counted %g, we sent %g", requests, at[0], at[1], got, want)
	}
	if after[lockouts] == nil && t.target.Profile.Name != "clinic" {
		t.Note("the metrics page has no %s, and nobody promised it: lockouts were not compared", lockouts)
		return
	}
	policy := t.target.policy("login")
	labels := map[string]string{"policy": policy}
	got := sum(after, lockouts, labels) - sum(before, lockouts, labels)
	t.Check(got == 1, "%s{policy=%s}: the server counted %g, we earned 1", lockouts, policy, got)
}
