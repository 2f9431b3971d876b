package capacity

import (
	"math"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/mat"
)

// USL is Gunther's Universal Scalability Law through the steps:
// X(N) = λN / (1 + σ(N-1) + κN(N-1)), where X is goodput and N the requests in
// the system, by Little's law goodput times mean response time.
type USL struct {
	Lambda  float64    `json:"lambda"`  // goodput of one request at a time, a second
	Sigma   float64    `json:"sigma"`   // share that must queue
	Kappa   float64    `json:"kappa"`   // cost of coherence: goodput falls past the knee when it is above 0
	Peak    float64    `json:"peak"`    // highest goodput; the limit of the curve when Kappa is 0
	At      float64    `json:"at"`      // requests in the system at the peak; 0 when it has none
	Between [2]float64 `json:"between"` // 95 % interval of Peak
	Points  int        `json:"points"`
}

// point is one step on the curve.
type point struct{ n, response float64 }

// leastPoints is how many different rates a curve of three parameters needs.
const leastPoints = 4

// Fit lays the curve through the valid steps by least squares on the relative
// error of the response time. The interval is a bootstrap of the residuals. Nil
// of fewer than 4 rates, and of steps that show no limit.
func Fit(steps []Step) *USL {
	var ps []point
	var rates []float64
	for _, s := range steps {
		if s.Invalid == "" && s.Goodput > 0 && s.Mean > 0 {
			ps = append(ps, point{n: s.Goodput * s.Mean.Seconds(), response: s.Mean.Seconds()})
			if !slices.Contains(rates, s.Rate) {
				rates = append(rates, s.Rate)
			}
		}
	}
	if len(rates) < leastPoints {
		return nil
	}
	u, ok := fit(ps)
	if !ok {
		return nil
	}
	u.Points = len(ps)
	u.Between = u.bootstrap(ps)
	return &u
}

// fit solves R = a + b(N-1) + cN(N-1) with a, b, c ≥ 0: what comes out negative
// is left out.
func fit(ps []point) (USL, bool) {
	for _, use := range [][]int{{0, 1, 2}, {0, 1}, {0, 2}} {
		c, ok := solve(ps, use)
		if !ok || c[0] <= 0 || c[1] < 0 || c[2] < 0 {
			continue
		}
		u := USL{Lambda: 1 / c[0], Sigma: c[1] / c[0], Kappa: c[2] / c[0]}
		switch {
		case u.Kappa > 1e-9:
			u.At = math.Sqrt(max(0, 1-u.Sigma) / u.Kappa)
			u.Peak = u.goodput(max(1, u.At))
		case u.Sigma > 1e-9:
			u.Peak = u.Lambda / u.Sigma
		default:
			continue
		}
		return u, true
	}
	return USL{}, false
}

// solve is the least squares over the terms that are used, each row divided by
// its response time so that long ones do not outweigh all others.
func solve(ps []point, use []int) (c [3]float64, ok bool) {
	a, y := mat.NewDense(len(ps), len(use), nil), mat.NewVecDense(len(ps), nil)
	for i, p := range ps {
		terms := [3]float64{1, p.n - 1, p.n * (p.n - 1)}
		for k, t := range use {
			a.Set(i, k, terms[t]/p.response)
		}
		y.SetVec(i, 1)
	}
	var x mat.VecDense
	if err := x.SolveVec(a, y); err != nil {
		return c, false
	}
	for k, t := range use {
		c[t] = x.AtVec(k)
	}
	return c, true
}

func (u USL) goodput(n float64) float64 {
	return u.Lambda * n / (1 + u.Sigma*(n-1) + u.Kappa*n*(n-1))
}

// response is the mean response time with n requests in the system.
func (u USL) response(n float64) float64 {
	return (1 + u.Sigma*(n-1) + u.Kappa*n*(n-1)) / u.Lambda
}

const bootstraps = 500

// bootstrap is the 95 % interval of the peak, from fits to the curve with the
// steps' own relative residuals dealt out anew.
func (u USL) bootstrap(ps []point) [2]float64 {
	// A fit of three parameters makes its residuals too small by as much.
	grow := math.Sqrt(float64(len(ps)) / float64(max(1, len(ps)-3)))
	residuals := make([]float64, len(ps))
	for i, p := range ps {
		residuals[i] = math.Exp(grow * math.Log(p.response/u.response(p.n)))
	}
	r := rand.New(rand.NewPCG(1, uint64(len(ps))))
	var peaks []float64
	for range bootstraps {
		again := make([]point, len(ps))
		for i, p := range ps {
			again[i] = point{p.n, u.response(p.n) * residuals[r.IntN(len(residuals))]}
		}
		if v, ok := fit(again); ok {
			peaks = append(peaks, v.Peak)
		}
	}
	if len(peaks) < bootstraps/2 {
		return [2]float64{0, math.MaxFloat64}
	}
	slices.Sort(peaks)
	return [2]float64{peaks[len(peaks)/40], peaks[len(peaks)-1-len(peaks)/40]}
}
