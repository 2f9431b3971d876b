package importer

import (
	"fmt"
	"html"
	"regexp"
	"strings"
)

// pageField is a value that the form of a page, or its head, tells by a name.
type pageField struct {
	name, value string
	from        string // where save finds it; "" = it cannot
}

var (
	pageTag   = regexp.MustCompile(`(?i)<(?:input|meta)\s(?:[^>"']|"[^"]*"|'[^']*')*>`)
	attribute = regexp.MustCompile(`(?i)\s(name|value|content)\s*=\s*("[^"]*"|'[^']*'|[^\s"'>]+)`)
)

// maxFields bounds what is looked at of one page.
const maxFields = 200

// pageFields are the values that a page tells, those alone that, seen again, are no chance.
func pageFields(page string) (fields []pageField) {
	page = page[:min(len(page), maxKept)] // as much as a run looks into
	for _, tag := range pageTag.FindAllString(page, maxFields) {
		var name, value []string
		nameFirst := false
		for _, a := range attribute.FindAllStringSubmatch(tag, -1) {
			if strings.EqualFold(a[1], "name") {
				name, nameFirst = a, value == nil
			} else {
				value = a
			}
		}
		if name == nil || value == nil {
			continue
		}
		f := pageField{name: unquote(name[2]), value: unquote(value[2])}
		if _, ok := distinct(f.name, f.value); ok {
			if e := expression(name, value, nameFirst); finds(e, page, f.value) {
				f.from = "regexp:" + e
			}
			fields = append(fields, f)
		}
	}
	return fields
}

// unquote is the value of an attribute.
func unquote(attribute string) string { return html.UnescapeString(strings.Trim(attribute, `"'`)) }

// expression finds the value beside the name, in the order of the tag.
func expression(name, value []string, nameFirst bool) string {
	group := `([^\s"'>]+)`
	if q := value[2][:1]; q == `"` || q == `'` {
		group = q + "([^" + q + "]+)" + q
	}
	before, after := regexp.QuoteMeta(strings.TrimSpace(name[0])), value[1]+"="+group
	if !nameFirst {
		before, after = after, before
	}
	return before + `[^>]*\s` + after
}

// finds tells whether an expression finds the value in the page as it is sent back: not where
// the page escapes it, nor where an earlier one is found.
func finds(expression, page, value string) bool {
	e, err := regexp.Compile(expression)
	if err != nil {
		return false
	}
	m := e.FindStringSubmatch(page)
	return len(m) == 2 && m[1] == value
}

const (
	unreadable = "a page told it in a form that save cannot read"
	noStep     = "the page that told it comes before the sign-in, which is one request"
)

// telling leaves those pages of a host alone that tell what a later request sends. What a page
// tells and no step can save is lost, and will not be copied.
func (d *outline) telling(all []exchange, host string) (kept []exchange, left int) {
	at := d.signInOf(all)
	first, last, atSignIn := map[string]int{}, map[string]int{}, map[string]bool{}
	for i := range all {
		for _, v := range all[i].sent() {
			if _, ok := first[v]; at >= 0 && all[i].method == all[at].method && all[i].url.Path == all[at].url.Path {
				atSignIn[v] = true
			} else if last[v] = i; !ok {
				first[v] = i
			}
		}
	}
	d.lost = map[string]string{}
	told := map[string]bool{}
	if at >= 0 {
		account, _ := credential(all[at].body)
		told[textAt(all[at].body, account)] = true // it is the user's own
	}
	for i, x := range all {
		keep := !x.page
		for _, f := range x.fields {
			from, ok := first[f.value]
			switch {
			case told[f.value] || x.url.Scheme+"://"+x.url.Host != host || ok && from <= i:
			case i < at && atSignIn[f.value]:
				d.lost[f.value] = noStep
			case !ok:
			case f.from == "":
				d.lost[f.value] = unreadable
			default:
				keep, told[f.value] = true, true
				x.signed = x.signed || x.page && i < at && last[f.value] > at // it is asked again by whoever signed in
			}
		}
		for _, v := range x.told() {
			told[v] = true
		}
		if keep {
			kept = append(kept, x)
		} else {
			left++
		}
	}
	return kept, left
}

// sent are the values that a request sends, each by itself.
func (x *exchange) sent() (values []string) {
	values = scalars(x.body)
	for _, h := range x.header {
		values = append(values, h[1])
	}
	for _, in := range x.url.Query() {
		values = append(values, in...)
	}
	return append(values, strings.Split(x.url.Path, "/")...)
}

// told are the values that an answer tells, other than by a page.
func (x *exchange) told() (values []string) {
	values = scalars(x.answer)
	for _, h := range x.answerHeader {
		values = append(values, h[1])
		if _, v, ok := forgeryCookie(h); ok {
			values = append(values, v)
		}
	}
	return values
}

// scalars are the texts and numbers within a JSON value.
func scalars(v any) (values []string) {
	for _, f := range walk(v) {
		if isScalar(f.value) {
			values = append(values, fmt.Sprint(f.value))
		}
	}
	return values
}
