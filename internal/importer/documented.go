package importer

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// told429 is a documented refusal by a limit.
type told429 struct {
	c           *call
	status      string // 429, or another one; "" = none is documented, the operation's description may tell
	description string
	operation   string         // the description of the operation that is refused
	headers     map[string]any // name → a sample value
	says        string
}

var refusedWith = regexp.MustCompile(`\b(?:403|423|429|503)\b`)

// documented turns documented refusals into limits and promises.
func (s *spec) documented() {
	form, says := "", ""
	retry := false
	for _, t := range s.limits {
		own, asks := t.form()
		retry = retry || asks
		if says == "" && (own != "" || asks) {
			says = t.says
		}
		if form == "" {
			form = own
		}
	}
	if says != "" {
		if form == "" {
			form = "none"
		}
		s.d.promises = append(s.d.promises, fmt.Sprintf("limit_headers: {form: %s, retry_after: %t, says: %s}", form, retry, flowText(says)))
	}
	policies := map[string]bool{}
	slices.SortStableFunc(s.limits, func(a, b told429) int { return cmp.Compare(b.tells(), a.tells()) })
	for _, t := range s.limits {
		policy := "api"
		switch t.c.kind {
		case isLogin:
			policy = "login"
		case isReset, isConfirm, isChange:
			policy = string(t.c.kind)
		}
		if documented := t.status == "429" || t.status != "" && policy == "login"; policies[policy] || !documented && !t.limit().said() && t.limit().trouble == "" {
			continue
		}
		policies[policy] = true
		s.d.limits = append(s.d.limits, t.line(policy, form))
	}
}

// limit is what the texts of the refusal say; the one of the operation is read when its
// own says no numbers.
func (t told429) limit() toldLimit {
	l := readLimit(t.description)
	if whole := readLimit(t.description + ". " + t.operation); !l.said() && t.c.kind == isLogin && whole.said() && (whole.counts != "" || whole.locks) {
		return whole
	}
	for name, v := range t.headers {
		if m := policyFmt.FindStringSubmatch(fmt.Sprint(v)); m != nil && strings.Contains(plain(name), "ratelimit") {
			l.limit, _ = strconv.Atoi(m[1] + m[3]) // digits, by the pattern
			l.window, l.trouble = unit(m[2]+m[4], "s"), ""
		}
	}
	return l
}

// tells is how much is known of the limit: of several refusals of one operation the one
// with numbers is taken, and at a sign-in the one that is about failures.
func (t told429) tells() (n int) {
	l := t.limit()
	if l.said() {
		n += 2
	}
	if t.c.kind == isLogin && (l.counts == "failures" || l.lock > 0) {
		n++
	}
	return n
}

// line is the refusal as a limit of the profile. form is the one that is promised for all.
func (t told429) line(policy, form string) limit {
	told := t.limit()
	l := limit{policy: policy, says: t.says, limit: told.limit, window: told.window, lock: told.lock, fixed: told.fixed, counts: told.counts, by: told.by, success: told.success}
	var open []string
	status := t.status
	if status == "" {
		if status = refusedWith.FindString(t.operation); status == "" {
			open = append(open, "statuses: that it refuses with, else 429")
		}
	}
	if status != "429" {
		l.statuses = status
	}
	own, asks := t.form()
	if own == "" && asks {
		own = "none" // it says how long to wait, and nothing else
	}
	if own != form {
		l.header = own
	}
	if policy == "api" && l.by == "account" {
		l.by = "user" // who is signed in
	}
	switch {
	case told.trouble != "":
		open = append(open, "limit and window of "+t.c.method+" "+t.c.path+": "+told.trouble)
	case !told.said():
		l.limit, l.window, l.lock = 0, 0, 0
		open = append(open, "limit and window of "+t.c.method+" "+t.c.path+": a "+t.status+" is documented, its numbers are not")
	case policy == "login":
		if l.counts == "" {
			l.counts = told.likely
			open = append(open, "counts: failures or requests")
		}
		if l.counts == "failures" && l.success == "" {
			open = append(open, "success: clears what was counted, or keeps it")
		}
		if l.by == "" {
			open = append(open, "by: address, account, both (a count of each) or pair (the two together)")
		}
		switch {
		case told.grows:
			open = append(open, growing)
		case l.lock == 0 && (told.locks || t.status == "423"):
			open = append(open, "lock: how long it is refused")
		}
	}
	if l.counts != "failures" {
		l.success = ""
	}
	l.decide = strings.Join(open, "; ")
	return l
}

const growing = "delay: a wait that grows is spoken of, as {from: 1s, to: 15m}, in place of lock"

// form is how the refusal announces its limit, "" when it does not, and whether it
// tells how long to wait.
func (t told429) form() (form string, retry bool) {
	for _, name := range keys(t.headers) {
		switch p := plain(name); {
		case strings.HasPrefix(p, "xratelimit"):
			form = "x-ratelimit"
		case strings.HasPrefix(p, "ratelimit") && form == "":
			form = "ietf"
		case p == "retryafter":
			retry = true
		}
	}
	return form, retry
}

// everyAnswer is what documented answers say of all answers.
type everyAnswer struct {
	answers           int
	headers           map[string]*toldHeader // by their names as they are written first
	errors, errorsSay string                 // media type of refusals
	fields            []string               // that their bodies always have
}

// toldHeader is a header that answers are documented with.
type toldHeader struct {
	times int
	value string // "" = any
	says  string // where it stands first
}

// answer counts the headers of one documented answer.
func (t *everyAnswer) answer(headers map[string]any, says string) {
	t.answers++
	for name, v := range headers {
		h := t.headers[name]
		if h == nil {
			h = &toldHeader{says: says, value: fmt.Sprint(v)}
			t.headers[name] = h
		}
		h.times++
	}
}

var (
	requestIDName = regexp.MustCompile(`(?i)^(x-)?(request|correlation)-id$`)
	securityName  = regexp.MustCompile(`(?i)^(x-content-type-options|content-security-policy|referrer-policy|x-frame-options|strict-transport-security)$`)
)

// promised writes promises of the form of errors, and of headers that are documented with
// every answer: with one that only some have, nothing is said of the rest.
func (s *spec) promised(t everyAnswer) {
	if t.errors != "" {
		fields := ""
		if len(t.fields) > 0 {
			var quoted []string
			for _, f := range t.fields {
				quoted = append(quoted, flowText(f))
			}
			fields = ", fields: [" + strings.Join(quoted, ", ") + "]"
		}
		s.d.promises = append(s.d.promises, fmt.Sprintf("errors: {type: %s%s, says: %s}", flowText(t.errors), fields, flowText(t.errorsSay)))
	}
	var headers []string
	says := ""
	for _, name := range keys(t.headers) {
		h := t.headers[name]
		switch {
		case h.times < t.answers || t.answers == 0:
		case requestIDName.MatchString(name):
			s.d.promises = append(s.d.promises, fmt.Sprintf("request_ids: {header: %s, says: %s}", flowText(name), flowText(h.says)))
		case securityName.MatchString(name):
			value := ""
			if h.value != "" {
				value = " " + flowText(h.value)
			}
			headers, says = append(headers, flowText(name)+":"+value), h.says
		}
	}
	if len(headers) > 0 {
		s.d.promises = append(s.d.promises, fmt.Sprintf("security_headers: {headers: {%s}, says: %s}", strings.Join(headers, ", "), flowText(says)))
	}
}
