package audit

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"vitals/internal/limitcheck"
	"vitals/internal/strict"
)

// Probes are all probes, in the order of the checklist.
func Probes() []Probe {
	all := slices.Concat(
		configuration(), health(), requestID(), crossOrigin(), surface(), surfaceErrors(), authentication(),
		lockout(), lockoutBypass(), lockoutBeyond(), lockoutPolicies(), lockoutControl(), siege(), database(), sentry(),
	)
	slices.SortFunc(all, func(a, b Probe) int { return cmp.Compare(place(a.ID), place(b.ID)) })
	return all
}

// order is the order of the families in the checklist.
var order = [...]string{"CF", "HL", "RQ", "CO", "SH", "AU", "LK", "DB", "SE"}

// place sorts ids as the checklist does: by family, then by number.
func place(id string) int {
	family := strings.TrimRight(id, "0123456789")
	n, _ := strconv.Atoi(id[len(family):]) // an id without a number comes first
	return slices.Index(order[:], family)*1000 + n
}

// families are the two letters that begin the probes' ids, with what they are
// about.
var families = map[string]string{
	"CF": "configuration", "HL": "health checks", "RQ": "request ids and logs", "CO": "cross-origin requests", "SH": "surface",
	"AU": "authentication", "LK": "limits and lockout", "DB": "database pool", "SE": "error reporting",
}

// Family words a probe's family, as "limits and lockout".
func Family(id string) string { return families[strings.TrimRight(id, "0123456789")] }

// Select picks probes by class and by the words of --only: a family (LK) or an
// id (LK8), in any case. No words are all. What names nothing is an error with
// the nearest right spelling, of each such word.
func Select(upTo Class, only []string) ([]Probe, error) {
	probes := Probes()
	var names []string
	for _, p := range probes {
		names = append(names, p.ID)
	}
	for f := range families {
		names = append(names, f)
	}
	wanted := map[string]bool{}
	var wrong []string
	for _, word := range only {
		word = strings.ToUpper(strings.TrimSpace(word))
		if limitcheck.Means[word] != "" {
			wrong = append(wrong, fmt.Sprintf("%s is no probe: it is read off the answers to all probes of limits (LK)", word))
		} else if !slices.Contains(names, word) {
			wrong = append(wrong, fmt.Sprintf("no probe or family %q%s", word, hint(word, names)))
		}
		wanted[word] = true
	}
	if len(wrong) > 0 {
		return nil, errors.New(strings.Join(wrong, "; "))
	}
	return slices.DeleteFunc(probes, func(p Probe) bool {
		return p.Class > upTo || len(only) > 0 && !wanted[p.ID] && !wanted[strings.TrimRight(p.ID, "0123456789")]
	}), nil
}

func hint(word string, among []string) string {
	if near, ok := strict.Nearest(word, among); ok {
		return fmt.Sprintf(" (did you mean %q?)", near)
	}
	return " (a family such as LK, or an id such as LK8)"
}

// Explain is what a person should know of a probe: why it matters, what it
// proves, how to mend what it finds; or what a rate-limit invariant (J1 to J7) means.
func Explain(id string) (string, error) {
	if means, ok := limitcheck.Means[strings.ToUpper(strings.TrimSpace(id))]; ok {
		return fmt.Sprintf("%s  a rate-limit invariant, read off the answers to all probes together\n  means  %s\n", strings.ToUpper(strings.TrimSpace(id)), means), nil
	}
	found, err := Select(Control, []string{id})
	if err != nil {
		return "", err
	}
	var b strings.Builder
	for i, p := range found {
		if i > 0 {
			b.WriteByte('\n')
		}
		pr := proofs[p.ID]
		fmt.Fprintf(&b, "%s  %s\n  class  %s (%s), guide %s\n  rests  on %s\n  weighs %s\n  why    %s\n  fix    %s\n", p.ID, p.Title, p.Class, Family(p.ID), p.Guide, pr.rests(bears(p.ID)), pr.weighs(), p.Why, p.Fix)
	}
	return b.String(), nil
}
