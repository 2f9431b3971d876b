package scenarios_test

import (
	"fmt"
	"strings"
	"time"

	"vitals/scenarios"
)

func ExampleRead() {
	sc, err := scenarios.Read(strings.NewReader(`
name: shop
users: 20
spawn_rate: 5/s
run_for: 1m
journeys:
  - name: buyer
    think: 400ms..800ms
    tasks:
      - {name: list goods, weight: 3, get: /goods, save: {good_id: json:items.0.id}}
      - {name: show good, get: "/goods/{{good_id}}"}
targets:
  - p95(show good) < 250ms
`), "shop.yaml")
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, p := range sc.Load.Phases() {
		fmt.Println(p.Name, p.From, p.To, p.Judged)
	}
	// Output:
	// ramp 0s 4s false
	// hold 4s 1m0s true
}

func ExampleRead_mistakes() {
	_, err := scenarios.Read(strings.NewReader(`
name: shop
users: twenty
run_for: 1m
journeys:
  - name: buyer
    steps:
      - {name: list goods, get: /goods, exepct: {status: 200}}
targets:
  - p59 < 250ms
`), "shop.yaml")
	fmt.Println(err)
	// Output:
	// shop.yaml:3:8: users: found "twenty", expected a whole number of at least 1
	// shop.yaml:8:41: unknown field "exepct" in a step (did you mean "expect"?)
	// shop.yaml:10:5: unknown metric "p59" (did you mean "p95"?)
}

func ExampleLoad_Arrivals() {
	l := scenarios.Load{Model: scenarios.Arrivals, Stages: []scenarios.Stage{{From: 0, To: 10, For: 10 * time.Second}}}
	s := l.Arrivals(0)
	for _, n := range []uint64{0, 2, 8, 18, 32} {
		due, _ := s.Due(n)
		fmt.Println(n, due)
	}
	fmt.Println(s.Total(), "in all")
	// Output:
	// 0 0s
	// 2 2s
	// 8 4s
	// 18 6s
	// 32 8s
	// 50 in all
}
