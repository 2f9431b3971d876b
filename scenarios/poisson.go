package scenarios

import "math/bits"

// poisson gives arrivals exponential gaps of mean 1 on the axis of the curve's
// integral, so that their rate follows the curve. Gaps are whole numbers of
// 2^-32, drawn by comparisons alone, so every machine gets the same ones; sums
// are kept for every 32nd arrival, so that any one is found at once.
type poisson struct {
	seed  uint64
	marks []uint64 // sum of the gaps before arrival 32·i, in 2^-32; arrival n is due after gap n
	total uint64
}

const stride = 32

func newPoisson(seed uint64, area wide) *poisson {
	p := &poisson{seed: seed}
	var sum uint64
	for n := uint64(0); ; n++ {
		if n%stride == 0 {
			p.marks = append(p.marks, sum)
		}
		sum += p.gap(n)
		if !p.axis(sum).less(area) {
			p.total = n
			return p
		}
	}
}

// at is where arrival n stands on the axis, in the unit of areas.
func (p *poisson) at(n uint64) wide {
	sum := p.marks[n/stride]
	for k := n / stride * stride; k <= n; k++ {
		sum += p.gap(k)
	}
	return p.axis(sum)
}

func (p *poisson) axis(sum uint64) wide {
	hi, lo := bits.Mul64(sum, one)
	return wide{hi, lo}.shift(32)
}

// gap is exponential with mean 1, by von Neumann's comparison of uniforms
// (1951): a run of falling draws of even length ends it, an odd one adds 1.
func (p *poisson) gap(n uint64) uint64 {
	draw := uint64(0)
	next := func() uint32 {
		draw++
		return uint32(Hash(p.seed, n, draw) >> 32)
	}
	for whole := uint64(0); ; whole++ {
		first := next()
		last, odd := first, true
		for u := next(); u < last; u = next() {
			last, odd = u, !odd
		}
		if odd {
			return whole<<32 | uint64(first)
		}
	}
}
