// Package routes fits paths to route patterns: a client knows paths, a server and
// a profile know patterns.
package routes

import "strings"

// Match fits a path, which may itself hold {{placeholders}}, to patterns whose
// variable segments stand in braces: it is the index of the pattern that fits with
// the most segments spelt out, -1 when none does. A query is not part of a path.
func Match(path string, patterns []string) int {
	best, most := -1, -1
	for i, p := range patterns {
		if score := fit(path, p); score > most {
			best, most = i, score
		}
	}
	return best
}

// fit is how well a path fits a pattern, -1 when it does not.
func fit(path, pattern string) int {
	score := 0
	for path != "" || pattern != "" {
		var a, b string
		a, path = cutSegment(path)
		b, pattern = cutSegment(pattern)
		switch {
		case a == b:
			score += 3
		case variable(b) && a != "/" && a != "":
			score += 2
		case strings.Contains(a, "{{") && a != "" && b != "/" && b != "":
			score++
		default:
			return -1
		}
	}
	return score
}

// cutSegment takes the first segment, with its slash, off a path.
func cutSegment(path string) (segment, rest string) {
	if path == "" {
		return "", ""
	}
	if i := strings.IndexByte(path[1:], '/'); i >= 0 {
		return path[:i+1], path[i+1:]
	}
	return path, ""
}

func variable(segment string) bool {
	return strings.HasPrefix(segment, "/{") && strings.HasSuffix(segment, "}")
}
