package config

import (
	"errors"
	"fmt"
	"math"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A value parses one variable's text into its field and prints the field as
// text that it would accept again. Set's errors state the rule and never repeat
// the text: it may be a secret in the wrong place.
type value interface {
	Set(text string) error
	String() string
}

type boolean struct{ p *bool }

// booleans is the closed set of accepted spellings; anything else refuses.
var booleans = map[string]bool{
	"true": true, "1": true, "yes": true, "on": true,
	"false": false, "0": false, "no": false, "off": false,
}

func (v boolean) String() string { return strconv.FormatBool(*v.p) }

func (v boolean) Set(text string) error {
	b, ok := booleans[strings.ToLower(text)]
	if !ok {
		return errors.New("must be true or false (also 1/0, yes/no, on/off)")
	}
	*v.p = b
	return nil
}

// integer is a whole number in [min, max]; with auto it also takes the word
// "auto", kept as 0 until load.go works it out.
type integer[T int | int64 | uint8 | uint32] struct {
	p        *T
	min, max int64
	auto     bool
}

func (v integer[T]) String() string {
	if v.auto && *v.p == 0 {
		return "auto"
	}
	return strconv.FormatInt(int64(*v.p), 10)
}

func (v integer[T]) Set(text string) error {
	if v.auto && text == "auto" {
		*v.p = 0
		return nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < v.min || n > v.max {
		or := ""
		if v.auto {
			or = `, or "auto"`
		}
		return fmt.Errorf("must be a whole number from %d to %d%s", v.min, v.max, or)
	}
	*v.p = T(n)
	return nil
}

// span is a duration: a bare whole number counts units, "1.5s" is Go's form.
// With never, -1 means that it never happens and is kept as -1.
type span struct {
	p        *time.Duration
	unit     time.Duration
	min, max time.Duration
	never    bool
}

func (v span) String() string {
	switch {
	case v.never && *v.p < 0:
		return "-1"
	case *v.p%v.unit == 0:
		return strconv.FormatInt(int64(*v.p/v.unit), 10)
	}
	return v.p.String()
}

func (v span) Set(text string) error {
	if v.never && text == "-1" {
		*v.p = -1
		return nil
	}
	d, err := time.ParseDuration(text)
	if n, atoi := strconv.ParseInt(text, 10, 64); atoi == nil {
		d, err = time.Duration(n)*v.unit, nil
		if n > int64(math.MaxInt64/v.unit) || n < 0 {
			err = strconv.ErrRange
		}
	}
	if err != nil || d < v.min || d > v.max {
		return errors.New(v.rule())
	}
	*v.p = d
	return nil
}

func (v span) rule() string {
	unit := map[time.Duration]string{time.Second: "seconds", time.Millisecond: "milliseconds"}[v.unit]
	rule := fmt.Sprintf("must be %d to %d %s (a whole number, or a form such as 90s)", v.min/v.unit, v.max/v.unit, unit)
	if v.min%v.unit != 0 {
		rule = fmt.Sprintf("must be %v to %v (a whole number of %s, or a form such as 90s)", v.min, v.max, unit)
	}
	if v.never {
		rule += ", or -1 for never"
	}
	return rule
}

// ratio is a number from 0 to 1.
type ratio struct{ p *float64 }

func (v ratio) String() string { return strconv.FormatFloat(*v.p, 'g', -1, 64) }

func (v ratio) Set(text string) error {
	f, err := strconv.ParseFloat(text, 64)
	if err != nil || !(f >= 0 && f <= 1) { // the negation catches NaN
		return errors.New("must be a number from 0 to 1")
	}
	*v.p = f
	return nil
}

// word is one of a closed set; same maps accepted synonyms to a member.
type word[T ~string] struct {
	p    *T
	of   []T
	same map[string]T
	fold bool // letter case does not matter
}

func (v word[T]) String() string { return string(*v.p) }

func (v word[T]) Set(text string) error {
	for _, w := range v.of {
		if text == string(w) || v.fold && strings.EqualFold(text, string(w)) {
			*v.p = w
			return nil
		}
	}
	if w, ok := v.same[strings.ToLower(text)]; ok {
		*v.p = w
		return nil
	}
	names := make([]string, len(v.of))
	for i, w := range v.of {
		names[i] = string(w)
	}
	return fmt.Errorf("must be one of %s", strings.Join(names, ", "))
}

// text is a string with a rule of its own.
type text struct {
	p     *string
	check func(string) error
}

func (v text) String() string { return *v.p }

func (v text) Set(s string) error {
	if v.check != nil {
		if err := v.check(s); err != nil {
			return err
		}
	}
	*v.p = s
	return nil
}

// secret is text that String redacts.
type secret struct {
	p     *Secret
	check func(string) error
}

func (v secret) String() string { return v.p.String() }

func (v secret) Set(s string) error {
	if v.check != nil {
		if err := v.check(s); err != nil {
			return err
		}
	}
	*v.p = Secret(s)
	return nil
}

// list is words between commas; blanks around each are dropped, empty text is
// the empty list.
type list struct {
	p     *[]string
	check func(string) error
}

func (v list) String() string { return strings.Join(*v.p, ",") }

func (v list) Set(s string) error {
	var out, wrong []string
	n := 0
	for item := range fields(s) {
		n++
		switch err := v.check(item); {
		case err != nil:
			wrong = append(wrong, fmt.Sprintf("entry %d %v", n, err))
		case slices.Contains(out, item):
			wrong = append(wrong, fmt.Sprintf("entry %d is named twice", n))
		}
		out = append(out, item)
	}
	*v.p = out // the rules for the other entries are told as well
	if len(wrong) > 0 {
		return errors.New(strings.Join(wrong, "; "))
	}
	return nil
}

// networks is CIDR ranges, or single addresses, between commas.
type networks struct{ p *[]netip.Prefix }

func (v networks) String() string {
	names := make([]string, len(*v.p))
	for i, n := range *v.p {
		names[i] = n.String()
	}
	return strings.Join(names, ",")
}

func (v networks) Set(s string) error {
	var out []netip.Prefix
	for item := range fields(s) {
		n, err := netip.ParsePrefix(item)
		if err != nil {
			a, aerr := netip.ParseAddr(item)
			if aerr != nil || a.Zone() != "" {
				return errors.New("must be CIDR ranges or addresses between commas, such as 10.0.0.0/8,192.0.2.7")
			}
			n = netip.PrefixFrom(a, a.BitLen())
		}
		if n.Addr().Is4In6() {
			return errors.New("must write IPv4 ranges as IPv4, not as ::ffff:0:0/96")
		}
		out = append(out, n.Masked())
	}
	*v.p = out
	return nil
}

// fields yields the entries of a comma-separated list, without blanks.
func fields(s string) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		if strings.TrimSpace(s) == "" {
			return
		}
		for item := range strings.SplitSeq(s, ",") {
			if !yield(strings.TrimSpace(item)) {
				return
			}
		}
	}
}
