package stats

import (
	"errors"
	"slices"
)

// Looks are the numbers of pairs after which a comparison may stop.
type Looks []int

// DefaultLooks of a duet.
func DefaultLooks() Looks { return Looks{5, 10, 15} }

// pocock are the levels that each of n looks is held to, so that all together
// raise a false alarm in 5 of 100 (Pocock 1977).
var pocock = []float64{1: 0.05, 2: 0.0294, 3: 0.0221}

// Alpha is the level of each look.
func (l Looks) Alpha() float64 { return pocock[len(l)] }

// Max is the number of pairs at the last look.
func (l Looks) Max() int { return l[len(l)-1] }

// Check says what keeps looks from being used: their level is only known for
// one to three of them.
func (l Looks) Check() error {
	switch {
	case len(l) == 0 || len(l) >= len(pocock):
		return errors.New("want one, two or three looks, as in 5,10,15: the level of more is not known")
	case !slices.IsSorted(l) || len(slices.Compact(slices.Clone(l))) != len(l):
		return errors.New("looks must grow, as in 5,10,15")
	case l[0] < 3:
		return errors.New("the first look needs 3 pairs at least")
	}
	return nil
}
