package profile

import (
	"net/http"
	"slices"
)

// Refusals are the statuses that an API's limits turn requests away with.
type Refusals []int

// Refusals are those of all limits, and more that are declared elsewhere; 429 where
// there are none. A nil profile declares none.
func (p *Profile) Refusals(more ...int) Refusals {
	all := slices.Clone(more)
	if p != nil {
		for _, l := range p.Limits {
			all = append(all, l.Statuses...)
			if len(l.Statuses) == 0 {
				all = append(all, http.StatusTooManyRequests)
			}
		}
	}
	if len(all) == 0 {
		all = []int{http.StatusTooManyRequests}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// Turned tells whether an answer to anybody's request is a limit's refusal. A status
// that has other meanings as well is one only when it says how long to wait.
func (r Refusals) Turned(status int, waitTold bool) bool {
	if !slices.Contains(r, status) {
		return false
	}
	switch status {
	case http.StatusBadRequest, http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound, http.StatusServiceUnavailable:
		return waitTold
	}
	return true
}
