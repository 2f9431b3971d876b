package importer

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// told429 is a documented refusal by a limit.
type told429 struct {
	c           *call
	status      string // 429, or another one
	description string
	headers     map[string]any // name → a sample value
	says        string
}

var (
	everyText = regexp.MustCompile(`(?i)(\d{1,6})\s*(?:[a-z-]+\s+){0,4}?(?:per|/|every|each|in|within)\s*(?:an?\s+)?(\d{1,5})?[\s-]*(s|sec|secs|seconds?|m|min|mins|minutes?|h|hr|hours?|d|days?)\b`)
	lockText  = regexp.MustCompile(`(?i)(?:lock|block|bann?|suspend)[a-z]*\s+(?:[a-z]+\s+){0,4}?(\d{1,5})[\s-]*(s|sec|secs|seconds?|m|min|mins|minutes?|h|hr|hours?|d|days?)\b`)
	tooMany   = regexp.MustCompile(`(?i)too many requests`) // the name of the status
	countText = regexp.MustCompile(`(?i)\b(fail(?:ed|ures?)|wrong|unsuccessful|invalid|incorrect)\b|\b(requests?|calls?)\b`)
	ownerText = regexp.MustCompile(`(?i)\b(?:per|by|each|every|from (?:one|an?|each|the same)|for (?:one|an?|each|the same))\s+(?:[a-z]+\s+){0,1}?(ip|address|client|user|account|username|e-?mail)\b|\b(ip|address) (?:address )?is (?:locked|blocked|banned)|\b(user|account) is (?:locked|blocked|suspended)`)
	policyFmt = regexp.MustCompile(`(\d+)\s*;\s*w=(\d+)|q=(\d+)\s*;\s*w=(\d+)`)
)

func unit(n, word string) time.Duration {
	count := 1
	if n != "" {
		count, _ = strconv.Atoi(n) // digits, by the pattern
	}
	per := map[byte]time.Duration{'s': time.Second, 'm': time.Minute, 'h': time.Hour, 'd': 24 * time.Hour}[strings.ToLower(word)[0]]
	return time.Duration(count) * per
}

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
	for _, t := range s.limits {
		policy := "api"
		switch t.c.kind {
		case isLogin:
			policy = "login"
		case isReset, isConfirm, isChange:
			policy = string(t.c.kind)
		}
		if policies[policy] {
			continue
		}
		policies[policy] = true
		l := limit{policy: policy, says: t.says}
		if t.status != "429" {
			l.statuses = t.status
		}
		if own, _ := t.form(); own != form {
			l.header = own
		}
		l.counts, l.by = t.counts(), t.by()
		if policy == "api" && l.by == "account" {
			l.by = "user" // who is signed in
		}
		if m := everyText.FindStringSubmatch(t.description); m != nil {
			l.limit, _ = strconv.Atoi(m[1]) // digits, by the pattern
			l.window = unit(m[2], m[3])
		}
		for name, v := range t.headers {
			if m := policyFmt.FindStringSubmatch(fmt.Sprint(v)); m != nil && strings.Contains(plain(name), "ratelimit") {
				l.limit, _ = strconv.Atoi(m[1] + m[3]) // digits, by the pattern
				l.window = unit(m[2]+m[4], "s")
			}
		}
		if m := lockText.FindStringSubmatch(t.description); m != nil {
			l.lock = unit(m[1], m[2])
		}
		if l.limit == 0 || l.window == 0 {
			l.limit, l.window, l.lock = 0, 0, 0
			l.decide = "limit and window of " + t.c.method + " " + t.c.path + ": a 429 is documented, its numbers are not"
		} else if policy == "login" {
			var open []string
			if l.counts == "" {
				l.counts = "failures"
				open = append(open, "counts: failures or requests")
			}
			if l.counts == "failures" {
				open = append(open, "success: clears what was counted, or keeps it")
			}
			if l.by == "" {
				open = append(open, "by: address, account or both")
			}
			l.decide = strings.Join(open, "; ")
		}
		s.d.limits = append(s.d.limits, l)
	}
}

// counts is what the description says that the limit counts; "" = nobody can tell.
func (t told429) counts() string {
	said := map[string]bool{}
	for _, m := range countText.FindAllStringSubmatch(tooMany.ReplaceAllString(t.description, ""), -1) {
		said[map[bool]string{true: "failures", false: "requests"}[m[1] != ""]] = true
	}
	return only(said)
}

// by is by whom the description says that it counts; "" = nobody can tell.
func (t told429) by() string {
	said := map[string]bool{}
	for _, m := range ownerText.FindAllStringSubmatch(t.description, -1) {
		switch strings.ToLower(m[1] + m[2] + m[3]) {
		case "ip", "address", "client":
			said["address"] = true
		default:
			said["account"] = true
		}
	}
	return only(said)
}

// only is the one word of a set; "" for none, and for more.
func only(said map[string]bool) string {
	if len(said) != 1 {
		return ""
	}
	return keys(said)[0]
}

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
