package password_test

import (
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/trustelem/zxcvbn/frequency"

	"vitals/server/identity/password"
)

func TestPolicy(t *testing.T) {
	p := password.NewPolicy(12)
	for _, c := range []struct{ word, code string }{
		{"elephant teapot 42", ""},
		{"xK9#vQ2mLp8w", ""},
		{"ünïcödé täpfèr", ""},                  // code points, not bytes
		{"  spaces at both ends  ", ""},         // nothing is trimmed
		{"alllowercaseletterswithoutdigit", ""}, // no composition rules
		{strings.Repeat("äx7", 42) + "ab", ""},  // 128 code points
		{strings.Repeat("äx7", 42) + "abc", "password_policy"},
		{"elevenchars", "password_policy"},
		{"", "password_policy"},
		{"bad \xff text here", "password_policy"},
		{"password1234", "password_breached"},
		{"PassWord1234", "password_breached"},
		{"!!!password!!!", "password_breached"},
		{"sunshine20262026", "password_breached"},
		{"dragondragon", "password_breached"},
		{"dragondragond", "password_breached"}, // cut short
		{"correct horse battery staple", "password_breached"},
		{"correct-horse-battery-staple1", "password_breached"},
		{"1q2w3e4r5t6y", "password_breached"},
		{"aaaaaaaaaaaaaaa", "password_breached"},
		{"ab1!ab1!ab1!", "password_breached"},
		{"abcdefghijkl", "password_breached"},
		{"qwertyuiopas", "password_breached"},
		{"123456789012", "password_breached"},
		{"lkjhgfdsa0987", "password_breached"},
		{"clinicclinic1", "password_breached"},
		{"my-clinic-2026!", "password_breached"},
		{"vitalsadmin2026", "password_breached"},
		{"margherita.rossi1", "password_breached"},
		{"Rossi-Margherita!", "password_breached"},
	} {
		err := p.Check(c.word, "margherita.rossi@clinic.test", "Margherita", "Rossi")
		weak, _ := errors.AsType[*password.Weak](err)
		got := ""
		if weak != nil {
			got = weak.Code
		}
		if got != c.code {
			t.Errorf("%q: got %q (%v), want %q", c.word, got, err, c.code)
		}
		if err != nil && c.word != "" && strings.Contains(err.Error(), c.word) {
			t.Errorf("%q: the error repeats it", c.word)
		}
	}
}

// An email is guessable as a whole, however short its parts are.
func TestOnesOwnEmailIsRefused(t *testing.T) {
	p := password.NewPolicy(12)
	for _, email := range []string{"ann@xy-ab.org.uk", "Margherita.Rossi@clinic.test", "a.b@c-d.e-f.gh.ij"} {
		for _, word := range []string{email, strings.ToUpper(email), email + "1"} {
			if err := p.Check(word, email, "Ann", "Li"); err == nil || !strings.Contains(err.Error(), "your email") {
				t.Errorf("%q: got %v, want it refused for the email", word, err)
			}
		}
	}
}

func TestPolicyOfShorterMinimum(t *testing.T) {
	p := password.NewPolicy(8)
	for word, ok := range map[string]bool{"trustno1": false, "metallica": false, "zq7wvk2p": true, "zq7wvk2": false} {
		if err := p.Check(word); (err == nil) != ok {
			t.Errorf("%q: got %v, want ok %v", word, err, ok)
		}
	}
}

// The list is a real one: ten thousand and more of the most frequent passwords.
func TestPolicyKnowsTheListsOfCrackers(t *testing.T) {
	p, n := password.NewPolicy(1), 0
	for _, word := range frequency.FrequencyLists["passwords"] {
		if err := p.Check(word); err != nil {
			n++
		}
	}
	if n < 10_000 || n != len(frequency.FrequencyLists["passwords"]) {
		t.Errorf("got %d of %d refused, want all, and at least 10 000", n, len(frequency.FrequencyLists["passwords"]))
	}
	p = password.NewPolicy(8)
	for _, word := range []string{"rangers1", "snowboar", "yankees2", "Spiderman1", "1234qwer", "manchester", "blink182", "charlie1"} {
		if p.Check(word) == nil {
			t.Errorf("%s may be chosen, want it refused", word)
		}
	}
}

func BenchmarkNewPolicy(b *testing.B) {
	for b.Loop() {
		password.NewPolicy(12)
	}
}

func FuzzPolicy(f *testing.F) {
	p := password.NewPolicy(12)
	for _, seed := range []string{"elephant teapot 42", "password1234", "", "\xff", "aaaaaaaaaaaaaaaaaaaa", strings.Repeat("ab", 100)} {
		f.Add(seed, "someone@clinic.test")
	}
	f.Fuzz(func(t *testing.T, word, email string) {
		err := p.Check(word, email)
		if n := utf8.RuneCountInString(word); err == nil && (n < 12 || n > 128 || !utf8.ValidString(word)) {
			t.Errorf("%q passes", word)
		}
	})
}
