package load_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"

	"vitals/internal/load"
	"vitals/internal/measure"
	"vitals/scenarios"
)

// A run needs a scenario, a recorder for its steps, and the address of the system.
func ExampleRun() {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"items":[]}`)
	}))
	defer server.Close()
	base, err := url.Parse(server.URL)
	if err != nil {
		fmt.Println(err)
		return
	}
	sc, err := scenarios.Read(strings.NewReader(`
name: shop
arrivals: {rate: 100/s, run_for: 200ms}
journeys:
  - name: buyer
    steps: [{name: list goods, get: /goods, anonymous: true, expect: {json: {items: null}}}]
`), "shop.yaml")
	if err != nil {
		fmt.Println(err)
		return
	}
	rec := measure.NewRecorder(load.Steps(sc), sc.Load.Phases(), measure.Options{})
	out, err := load.Run(context.Background(), sc, rec, load.Options{Base: base, Seed: 1})
	if err != nil {
		fmt.Println(err)
		return
	}
	step := rec.Finish().Phases[0].Steps[0]
	fmt.Println(out.Counts.Planned, "planned,", step.Counts.Served, "served by", step.Step.Name)
	// Output: 20 planned, 20 served by list goods
}
