package scenarios

import "math"

// spare is for users that are quicker than others, and for accounts that are left
// a few requests short of their bound.
const spare = 1.2

// Requests is about how many requests a load makes of a system that answers at
// once, which is the most it can make: for users, time ÷ think time each and the
// task they begin with; for arrivals, the integral of the rate. Signing in is not
// counted.
func (l Load) Requests(journeys []Journey) float64 {
	var level float64 // user-seconds, or journeys
	for _, s := range l.Stages {
		level += (s.From + s.To) / 2 * s.For.Seconds()
	}
	var weights, each float64
	for _, j := range journeys {
		requests, think := j.mean()
		made := requests * level
		if l.Model == Users {
			made = requests * (level/max(think, 1e-3) + l.Peak())
		}
		weights += float64(max(1, j.Weight))
		each += float64(max(1, j.Weight)) * made
	}
	if weights == 0 {
		return 0
	}
	return each / weights
}

// mean is of one drawn task: its requests, and the seconds of thought after it.
func (j Journey) mean() (requests, think float64) {
	var weights float64
	for _, t := range j.Tasks {
		w := float64(max(1, t.Weight))
		pause := j.Think
		if t.Think != (Range{}) {
			pause = t.Think
		}
		weights += w
		requests += w * float64(len(t.Steps))
		think += w * (pause.From + pause.To).Seconds() / 2
	}
	if weights == 0 {
		return 0, 0
	}
	return requests / weights, think / weights
}

// Needed is how many accounts a load uses up when none may make more requests
// than the production limit leaves it, and no more users share
// one than the load says.
func (a Accounts) Needed(l Load, journeys []Journey) int {
	byRequests := 0.0
	if a.Requests > 0 {
		byRequests = l.Requests(journeys) * spare / float64(a.Requests)
	}
	byUsers := 0.0
	if l.Model == Users {
		byUsers = math.Ceil(l.Peak() / float64(max(1, l.Share)))
	}
	return max(1, int(math.Ceil(max(byRequests, byUsers))))
}

// Needed is how many accounts a session of runs needs at a pace: as many as the
// most crowded scenario signs in at once, and enough for the requests of all of
// them within one hour.
func Needed(pace string, scs ...*Scenario) int {
	var atOnce int
	var byRequests float64
	for _, sc := range scs {
		l := sc.At(pace)
		if l.Model == Users {
			atOnce = max(atOnce, (l.Users().Max()+l.Share-1)/max(1, l.Share))
		}
		if sc.Accounts.Requests > 0 {
			byRequests += l.Requests(sc.Journeys) * spare / float64(sc.Accounts.Requests)
		}
	}
	return max(1, atOnce, int(math.Ceil(byRequests)))
}
