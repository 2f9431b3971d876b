package config

import (
	"maps"
	"slices"
	"strings"
)

// prefixes mark names that can only be meant for this service. A misspelt one
// must not become a default in silence.
var prefixes = []string{"RATE_LIMIT_", "DB_", "CORS_", "SENTRY_", "ARGON2_", "ACCOUNT_THROTTLE_", "TRUSTED_PROX", "PRODUCTION_CORS", "BACKEND_CORS"}

// elsewhere are names with our prefixes that other commands read.
var elsewhere = []string{"SENTRY_SEND_TEST"}

// unknown refuses, in production, names with our prefixes that the table lacks.
func unknown(r *report, env map[string]string, table []variable, e Env) {
	known := slices.Clone(elsewhere)
	for _, v := range table {
		known = append(known, v.name)
		if v.alias != "" {
			known = append(known, v.alias)
		}
		if v.secret {
			known = append(known, v.name+"_FILE")
		}
	}
	for _, name := range slices.Sorted(maps.Keys(env)) {
		ours := slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(name, p) })
		if !ours || slices.Contains(known, name) {
			continue
		}
		text := "is not a variable of this service"
		if n := nearest(name, known); n != "" {
			text += "; did you mean " + n + "?"
		}
		if e == Production {
			r.refuse(name, text)
		} else {
			r.warn(name, text)
		}
	}
}

// nearest is the known name with the fewest edits, "" if none is close.
func nearest(name string, known []string) string {
	best, least := "", max(2, len(name)/3)+1
	for _, k := range known {
		if d := edits(name, k); d < least {
			best, least = k, d
		}
	}
	return best
}

// edits is the Levenshtein distance in bytes.
func edits(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
