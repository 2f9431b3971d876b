package stats

import "math"

// Sessions is the spread between sessions: what two stored files differ by
// although the builds do not.
type Sessions struct {
	Sigma   float64 `json:"sigma"`    // standard deviation of a session's mean
	Nu      float64 `json:"nu"`       // degrees of freedom; infinite when assumed
	N       int     `json:"sessions"` // behind it
	Assumed bool    `json:"assumed"`
}

// Without history two sessions are taken to differ by 10 %: then only a change
// of more than 32 % is called one.
const assumedSigma = 0.10

// LeastSessions is how many sessions the spread between them is learned from.
const LeastSessions = 10

// AssumedNoise is the spread when there is no history to learn it from.
func AssumedNoise() Sessions {
	return Sessions{Sigma: assumedSigma, Nu: math.Inf(1), Assumed: true}
}

// NewSessions learns the spread from the means of earlier sessions, grouped by
// the segments between accepted changes. Fewer than 10 sessions say too little,
// and then the noise is assumed. Sessions of no spread at all are not believed:
// sigma is at least floor (LogFloor for log ratios).
func NewSessions(floor float64, segments ...[]float64) Sessions {
	s := Sessions{}
	var sum float64
	for _, seg := range segments {
		s.N += len(seg)
		if len(seg) > 1 {
			s.Nu += float64(len(seg) - 1)
			sum += squares(seg)
		}
	}
	if s.N < LeastSessions || s.Nu < 1 {
		a := AssumedNoise()
		a.N = s.N
		return a
	}
	s.Sigma = math.Max(math.Sqrt(sum/s.Nu), floor)
	return s
}

// Compare is the estimate from session means: sessions are the replicates. The
// runs inside a session never enter its error, for they share all that differs
// between sessions. Sign is +1 where larger is worse, -1 where it is better.
func (s Sessions) Compare(old, new []float64, sign float64) Estimate {
	e := Estimate{K: len(new), Effect: sign * (Mean(new) - Mean(old)), Nu: s.Nu, Variance: s.Sigma * s.Sigma, SE: math.Inf(1)}
	if len(old) > 0 && len(new) > 0 {
		e.SE = s.Sigma * math.Sqrt(1/float64(len(old))+1/float64(len(new)))
	}
	return e
}

// NeedSessions is how many new sessions would decide with 80 % power, given the
// old ones; 0 when the old ones alone leave too much doubt, so that more of
// them must be recorded.
func (s Sessions) NeedSessions(e Estimate, r Rule, old int) int {
	gap, alpha := e.need(r)
	t := T(s.Nu, 1-alpha) + powerZ
	return leastN(func(m float64) bool {
		return t*s.Sigma*math.Sqrt(1/float64(old)+1/m) <= gap
	})
}
