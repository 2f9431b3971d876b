package scenarios

import "math/bits"

// wide is an unsigned integer of 128 bits: rates times nanoseconds do not fit
// into 64, and a float would make two machines disagree about an arrival.
type wide struct{ hi, lo uint64 }

func mul(a, b uint64) (w wide) {
	w.hi, w.lo = bits.Mul64(a, b)
	return w
}

func (w wide) add(o wide) (sum wide) {
	var carry uint64
	sum.lo, carry = bits.Add64(w.lo, o.lo, 0)
	sum.hi, _ = bits.Add64(w.hi, o.hi, carry)
	return sum
}

func (w wide) sub(o wide) (diff wide) {
	var borrow uint64
	diff.lo, borrow = bits.Sub64(w.lo, o.lo, 0)
	diff.hi, _ = bits.Sub64(w.hi, o.hi, borrow)
	return diff
}

func (w wide) less(o wide) bool { return w.hi < o.hi || w.hi == o.hi && w.lo < o.lo }

// shift is w / 2^n, for 0 < n < 64.
func (w wide) shift(n uint) wide { return wide{w.hi >> n, w.lo>>n | w.hi<<(64-n)} }

// div is the quotient rounded up; it must fit into 64 bits.
func (w wide) div(by uint64) uint64 {
	q, r := bits.Div64(w.hi, w.lo, by)
	if r > 0 {
		q++
	}
	return q
}

func (w wide) float() float64 { return float64(w.hi)*(1<<64) + float64(w.lo) }

// times is the product with one more word: 192 bits, the highest first.
func (w wide) times(by uint64) [3]uint64 {
	midHi, lo := bits.Mul64(w.lo, by)
	hi, mid := bits.Mul64(w.hi, by)
	var carry uint64
	mid, carry = bits.Add64(mid, midHi, 0)
	return [3]uint64{hi + carry, mid, lo}
}

// atLeast tells whether a ≥ b.
func atLeast(a, b [3]uint64) bool {
	for i := range a {
		if a[i] != b[i] {
			return a[i] > b[i]
		}
	}
	return true
}
