package password

import (
	_ "embed"
	"fmt"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"github.com/trustelem/zxcvbn/frequency"
)

// MaxLength is the longest password accepted, in code points: long enough for
// any manager, short enough to bound the work.
const MaxLength = 128

// minBase is the shortest rest of a password, once everything guessable is taken
// away, that still counts as a choice of its own.
const minBase = 6

// Weak is why a password must not be chosen.
type Weak struct {
	Code   string // password_policy (length) or password_breached (guessable)
	Reason string // completes "the password …"
}

func (w *Weak) Error() string { return "password " + w.Reason }

// Policy is the rule for new passwords: a length and a list, no composition
// (ASVS 6.2.1 to 6.2.5).
type Policy struct {
	min    int
	common func() map[string]bool // made at the first question: a start does not wait for it
}

// NewPolicy is the rule of passwords with at least min code points.
func NewPolicy(min int) *Policy {
	return &Policy{min: min, common: sync.OnceValue(commonPasswords)}
}

// more.txt is what the list lacks: long passwords that are phrases or made of
// patterns, and words that long guessable ones are made of.
//
//go:embed more.txt
var moreText string

// commonPasswords is the list of zxcvbn, some 30 000 passwords in order of their
// frequency in leaked collections, and more.txt. Most are shorter than any minimum
// and never match by themselves: long guessable passwords are made of them.
func commonPasswords() map[string]bool {
	listed := frequency.FrequencyLists["passwords"]
	common := make(map[string]bool, len(listed)+2_000)
	for _, word := range listed {
		common[word] = true
	}
	for line := range strings.Lines(moreText) {
		if word := strings.TrimSpace(line); word != "" && !strings.HasPrefix(word, "#") {
			common[word] = true
		}
	}
	return common
}

// Check returns a *Weak unless password may be chosen. personal are words that
// an attacker tries first: the user's email and names. The password itself is
// compared without regard to case; what is hashed is not changed by this.
func (p *Policy) Check(password string, personal ...string) error {
	if !utf8.ValidString(password) {
		return &Weak{"password_policy", "is not valid text"}
	}
	switch n := utf8.RuneCountInString(password); {
	case n < p.min:
		return &Weak{"password_policy", fmt.Sprintf("has fewer than %d characters", p.min)}
	case n > MaxLength:
		return &Weak{"password_policy", fmt.Sprintf("has more than %d characters", MaxLength)}
	}
	folded := strings.ToLower(password)
	unit := period(folded)
	if p.listed(folded) || p.listed(unit) {
		return &Weak{"password_breached", "is one of the most common passwords, or made of one"}
	}
	if run(folded) || utf8.RuneCountInString(unit) <= 4 {
		return &Weak{"password_breached", "repeats a short pattern or follows the keyboard or alphabet"}
	}
	rest := folded
	for _, word := range append(parts(personal), contextWords...) {
		rest = strings.ReplaceAll(rest, word, "")
	}
	if rest = letters(rest); rest != letters(folded) && (utf8.RuneCountInString(rest) < minBase || p.common()[rest]) {
		return &Weak{"password_breached", "is little more than your name, your email or a word of this service"}
	}
	return nil
}

// listed reports whether s is on the list, as it is, without the blanks between
// its words, or under the digits and signs around it: one entry stands for the
// variants that people and crackers make of it.
func (p *Policy) listed(s string) bool {
	joined := strings.Join(strings.FieldsFunc(s, func(r rune) bool { return unicode.IsSpace(r) || r == '-' || r == '_' }), "")
	common := p.common()
	return common[s] || common[letters(s)] || common[joined] || common[letters(joined)]
}

// contextWords are words that say where the password is used (ASVS 6.2.11).
var contextWords = []string{"medication", "reminder", "password", "hospital", "clinic", "vitals", "patient", "doctor", "health", "admin"}

// letters drops the digits and signs that people put around a word.
func letters(s string) string {
	return strings.TrimFunc(s, func(r rune) bool { return !unicode.IsLetter(r) })
}

// parts are the pieces of names and emails that are long enough to matter.
func parts(personal []string) []string {
	var words []string
	for _, p := range personal {
		p = strings.ToLower(p)
		words = append(append(words, p), strings.FieldsFunc(p, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })...)
	}
	kept := words[:0]
	for _, w := range words {
		if utf8.RuneCountInString(w) >= 4 {
			kept = append(kept, w)
		}
	}
	return kept
}

// rows are what fingers and tongues run along.
var rows = []string{
	"abcdefghijklmnopqrstuvwxyz", "01234567890123456789", "qwertyuiop[]asdfghjkl;'zxcvbnm,./", "qwertyuiopasdfghjklzxcvbnm",
	"qwertzuiopasdfghjklyxcvbnm", "azertyuiopqsdfghjklmwxcvbn", "1q2w3e4r5t6y7u8i9o0p", "qazwsxedcrfvtgbyhnujmikolp",
}

// run reports whether s is nothing but pieces, of 4 or more, of such rows,
// forwards or backwards.
func run(s string) bool {
	for s != "" {
		n := 0
		for _, row := range rows {
			n = max(n, common(s, row), common(s, reverse(row)))
		}
		if n < 4 && n < len(s) { // a short piece may only end it
			return false
		}
		s = s[n:]
	}
	return true
}

// common is the length of the longest prefix of s that occurs in row.
func common(s, row string) int {
	n := 0
	for n < len(s) && strings.Contains(row, s[:n+1]) {
		n++
	}
	return n
}

func reverse(s string) string {
	b := []byte(s)
	for i, j := 0, len(b)-1; i < j; i, j = i+1, j-1 {
		b[i], b[j] = b[j], b[i]
	}
	return string(b)
}

// period is the shortest string that s is a repetition of, the last one perhaps
// cut short; s itself if there is none.
func period(s string) string {
	r := []rune(s)
	for n := 1; n <= len(r)/2; n++ {
		same := true
		for i := n; i < len(r) && same; i++ {
			same = r[i] == r[i-n]
		}
		if same {
			return string(r[:n])
		}
	}
	return s
}
