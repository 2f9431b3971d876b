package report

import (
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"vitals/internal/measure"
)

// count writes n with its thousands apart: 27,410.
func count(n int64) string {
	s := strconv.FormatInt(n, 10)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// took writes a duration with three digits, in the unit people expect.
func took(d time.Duration) string { return exact(d, 3) }

// exact writes a duration with so many digits.
func exact(d time.Duration, digits int) string {
	switch {
	case d == 0:
		return "0s"
	case d < 0:
		return "-" + exact(-d, digits)
	case d < time.Second:
		return fixed(d.Seconds()*1e3, digits) + "ms"
	case d < 2*time.Minute || digits > 3:
		return fixed(d.Seconds(), digits) + "s"
	}
	return d.Round(time.Second).String()
}

// fixed writes v with so many digits, the zeros at the end among them, so that
// columns stay even.
func fixed(v float64, digits int) string {
	for whole := 10.0; v >= whole && digits > 1; whole *= 10 {
		digits--
	}
	return strconv.FormatFloat(v, 'f', digits-1, 64)
}

// significant writes v with so many digits and no zeros at the end.
func significant(v float64, digits int) string {
	r, _ := strconv.ParseFloat(strconv.FormatFloat(v, 'g', digits, 64), 64) // cannot fail on its own output
	return strconv.FormatFloat(r, 'f', -1, 64)
}

// quantile is a histogram's, or a dash of nothing.
func quantile(h *measure.Histogram, q float64) string {
	if d, ok := h.Quantile(q); ok {
		return took(d)
	}
	return "–"
}

// share writes part of whole as a percentage.
func share(part, whole int64) string {
	if whole == 0 {
		return "–"
	}
	return percent(float64(part) / float64(whole))
}

// percent writes a fraction: small ones are not rounded to nothing.
func percent(f float64) string {
	if f < 0.0995 {
		return significant(f*100, 2) + "%"
	}
	return strconv.FormatFloat(f*100, 'f', 1, 64) + "%"
}

// rate is n requests over a time.
func rate(n int64, over time.Duration) string {
	if over <= 0 {
		return "–"
	}
	return perSecond(float64(n) / over.Seconds())
}

// perSecond writes a rate with three digits, or all before the point.
func perSecond(v float64) string {
	if v >= 1000 {
		return count(int64(v+0.5)) + "/s"
	}
	return fixed(v, 3) + "/s"
}

// figure writes a fact in its unit.
func figure(f measure.Fact) string {
	switch f.Unit {
	case "%":
		return percent(f.Value)
	case "s":
		return took(time.Duration(f.Value * float64(time.Second)))
	}
	return strings.TrimSpace(number(f.Value) + " " + f.Unit)
}

// number writes a plain figure with its thousands apart.
func number(v float64) string {
	if v == float64(int64(v)) {
		return count(int64(v))
	}
	return strconv.FormatFloat(v, 'g', 4, 64)
}

// plural is "1 target" or "3 targets".
func plural(n int, noun string) string { return plural64(int64(n), noun) }

func plural64(n int64, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return count(n) + " " + noun + "s"
}

// prefixed puts the same word before each.
func prefixed(word string, items []string) (out []string) {
	for _, s := range items {
		out = append(out, word+s)
	}
	return out
}

// listed joins what is not empty.
func listed(parts ...string) string {
	return strings.Join(slices.DeleteFunc(parts, func(s string) bool { return strings.TrimSpace(s) == "" }), ", ")
}

// columns is how wide text shows; the glyphs we use are one column each.
func columns(s string) int { return utf8.RuneCountInString(s) }

// pad fills s, made printable, up to n columns.
func pad(s string, n int) string {
	s = strip(s)
	return s + strings.Repeat(" ", max(0, n-columns(s)))
}

// strip takes control characters out: a request ID or a name from elsewhere
// must not steer a terminal.
func strip(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return -1
		}
		return r
	}, s)
}

// stripLines is strip for text of several lines.
func stripLines(s string) string {
	lines := strings.Split(s, "\n")
	for i := range lines {
		lines[i] = strip(lines[i])
	}
	return strings.Join(lines, "\n")
}

// sparkline draws values as at most n blocks between zero and their largest.
func sparkline(vs []float64, n int) string {
	const blocks = "▁▂▃▄▅▆▇█"
	runes := []rune(blocks)
	n = min(n, len(vs))
	var top float64
	for _, v := range vs {
		top = max(top, v)
	}
	var b strings.Builder
	for i := range n {
		var most float64 // a short peak must not vanish between columns
		for _, v := range vs[i*len(vs)/n : (i+1)*len(vs)/n] {
			most = max(most, v)
		}
		level := 0
		if top > 0 {
			level = min(int(most/top*float64(len(runes))), len(runes)-1)
		}
		b.WriteRune(runes[level])
	}
	return b.String()
}
