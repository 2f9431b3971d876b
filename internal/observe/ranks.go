package observe

import (
	"cmp"
	"math"
	"slices"
)

// halves are the places of the lower half of the values, and of the highest quarter.
func halves(vs []float64) (low, high []int) {
	order := make([]int, len(vs))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(vs[a], vs[b]) })
	return order[:(len(vs)+1)/2], order[len(vs)-max(1, len(vs)/highShare):]
}

func pick(vs []float64, at []int) []float64 {
	out := make([]float64, len(at))
	for i, p := range at {
		out[i] = vs[p]
	}
	return out
}

func median(vs []float64) float64 {
	vs = slices.Sorted(slices.Values(vs))
	n := len(vs)
	if n == 0 {
		return 0
	}
	return (vs[(n-1)/2] + vs[n/2]) / 2
}

// spearman is the correlation of the values' ranks, equal values sharing theirs; 0
// where one of the two does not vary.
func spearman(a, b []float64) float64 {
	ra, rb := ranks(a), ranks(b)
	n := float64(len(a))
	var sa, sb, saa, sbb, sab float64
	for i := range ra {
		sa, sb = sa+ra[i], sb+rb[i]
		saa, sbb, sab = saa+ra[i]*ra[i], sbb+rb[i]*rb[i], sab+ra[i]*rb[i]
	}
	d := math.Sqrt((n*saa - sa*sa) * (n*sbb - sb*sb))
	if d == 0 {
		return 0
	}
	return (n*sab - sa*sb) / d
}

func ranks(vs []float64) []float64 {
	order := make([]int, len(vs))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(vs[a], vs[b]) })
	out := make([]float64, len(vs))
	for i := 0; i < len(order); {
		j := i
		for j < len(order) && vs[order[j]] == vs[order[i]] {
			j++
		}
		for _, at := range order[i:j] {
			out[at] = float64(i+j-1) / 2
		}
		i = j
	}
	return out
}
