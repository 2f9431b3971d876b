package intruders

import (
	"fmt"
	"slices"
	"time"

	"vitals/internal/measure"
	"vitals/scenarios"
	"vitals/targets"
)

// Siege compares what honest users felt in the judged phases that an intruder
// works in with what they felt in the others, all of each kind together: the
// fact siege.p95_ratio. It is absent when no intruder keeps to phases, when one
// that does shows nothing, or when either side has too few answers for a p95.
func Siege(r *measure.Result, ins []scenarios.Intruder, attacks []Attack) []measure.Fact {
	var attacked []string // phases
	for _, in := range ins {
		if in.During == "" {
			continue
		}
		attacked = append(attacked, in.During)
		if slices.ContainsFunc(attacks, func(a Attack) bool { return a.Intruder == in.Name && !a.Complete }) {
			return nil
		}
	}
	var without, with measure.StepResult
	var lows, highs []time.Duration // p95 of each phase
	for _, p := range r.Phases {
		if !p.Judged || p.To > r.Took {
			continue
		}
		one := measure.Result{Phases: []measure.PhaseResult{p}}
		felt := one.Total(true, true)
		sum, list := &without, &lows
		if slices.Contains(attacked, p.Name) {
			sum, list = &with, &highs
		}
		sum.Merge(felt)
		p95, _ := felt.Response.Quantile(0.95)
		*list = append(*list, p95)
	}
	const need = targets.Tail * 20 // beyond a p95 there must be Tail answers
	if len(attacked) == 0 || without.Response.N() < need || with.Response.N() < need {
		return nil
	}
	low, _ := without.Response.Quantile(0.95)
	high, _ := with.Response.Quantile(0.95)
	ratio, felt := targets.Slowdown(low, high)
	note := fmt.Sprintf("honest p95 %s without (n %d), %s under attack (n %d): %.2f times%s",
		low.Round(10*time.Microsecond), without.Response.N(), high.Round(10*time.Microsecond), with.Response.N(), float64(high)/float64(max(1, low)), pairs(lows, highs))
	if !felt && high > low {
		note += fmt.Sprintf("; counted as 1, for a difference below %s is felt by nobody and is less than a shared machine can repeat", targets.Unfelt)
	}
	return []measure.Fact{{Name: "siege.p95_ratio", Value: ratio, N: without.Response.N() + with.Response.N(), Note: note}}
}

// pairs says how far the ratios of neighbours lie apart: each phase under attack
// with the one before it.
func pairs(without, with []time.Duration) string {
	var ratios []float64
	for i := range min(len(without), len(with)) {
		ratios = append(ratios, float64(with[i])/float64(max(1, without[i])))
	}
	if len(ratios) < 2 {
		return ""
	}
	return fmt.Sprintf(", pair by pair %.2f to %.2f (%d pairs)", slices.Min(ratios), slices.Max(ratios), len(ratios))
}
