package strict

import (
	"fmt"
	"slices"
	"strings"
)

// Nearest is the candidate that the word was probably meant to be: the least
// Damerau-Levenshtein distance, and at most a third of the word's length, so
// that a guess is not wild. False when none is near.
func Nearest(word string, among []string) (string, bool) {
	best, least := "", max(1, len(word)/3)+1
	w := strings.ToLower(word)
	for _, c := range slices.Sorted(slices.Values(among)) {
		d := distance(w, strings.ToLower(c))
		if d == 2 && len(w) >= 4 && missesLetters(w, strings.ToLower(c)) {
			d = 1 // as near as one other letter
		}
		// Of two that are as near, the one of the same letters: they were swapped.
		if d < least || d == least && best != "" && longer(w, c) && !longer(w, best) || d == least && best != "" && letters(w) == letters(strings.ToLower(c)) && letters(w) != letters(strings.ToLower(best)) {
			best, least = c, d
		}
	}
	return best, best != ""
}

// longer reports whether the candidate is the word and more: users, of user.
func longer(word, candidate string) bool {
	return len(candidate) > len(word) && strings.HasPrefix(strings.ToLower(candidate), word)
}

// missesLetters reports whether the word is the candidate but for letters that are
// missing: eror is errors.
func missesLetters(word, candidate string) bool {
	if len(word) >= len(candidate) || word[0] != candidate[0] {
		return false
	}
	for i := range len(candidate) {
		if word != "" && candidate[i] == word[0] {
			word = word[1:]
		}
	}
	return word == ""
}

func letters(s string) string { return string(slices.Sorted(slices.Values([]rune(s)))) }

// Hint is `did you mean "x"?`, or the list of what there is when that is short
// enough to read, else "".
func Hint(word string, among []string) string {
	if near, ok := Nearest(word, among); ok {
		return fmt.Sprintf("did you mean %q?", near)
	}
	if len(among) == 0 || len(among) > 16 {
		return ""
	}
	return "known: " + strings.Join(slices.Compact(slices.Sorted(slices.Values(among))), ", ")
}

// Meant is ` (did you mean "x"?)` after a message that lists all there is, or "".
func Meant(word string, among []string) string {
	if near, ok := Nearest(word, among); ok {
		return fmt.Sprintf(" (did you mean %q?)", near)
	}
	return ""
}

// distance counts insertions, deletions, replacements and swaps of neighbours
// (optimal string alignment).
func distance(a, b string) int {
	prev2, prev, cur := []int(nil), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range prev {
		prev[j] = j
	}
	for i := 1; i <= len(a); i++ {
		cur[0] = i
		for j := 1; j <= len(b); j++ {
			same := 1
			if a[i-1] == b[j-1] {
				same = 0
			}
			cur[j] = min(prev[j]+1, cur[j-1]+1, prev[j-1]+same)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				cur[j] = min(cur[j], prev2[j-2]+1)
			}
		}
		prev2, prev, cur = prev, cur, make([]int, len(b)+1)
	}
	return prev[len(b)]
}
