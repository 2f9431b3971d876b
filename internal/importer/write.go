package importer

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// files writes the outline.
func (d *outline) files() *Files {
	f := &Files{Kind: d.kind, URL: d.url, SignsIn: d.signIn != nil, Limited: d.operations[string(isLogin)].policy != ""}
	var p, s, t page
	d.profile(&p)
	d.scenario(&s)
	d.targets(&t)
	f.Profile, f.Scenario, f.Targets, f.Accounts = p.b.String(), s.b.String(), t.b.String(), "email,password\n"
	f.Decide = p.decide + s.decide + t.decide
	if n := d.secrets; n > 0 {
		where := ""
		if strings.Contains(f.Profile+f.Scenario, gone) {
			where = fmt.Sprintf("; where one must be sent stands %q", gone)
		}
		d.say("%s (passwords, tokens, keys) %s not copied%s", numbered(n, "secret", "secrets"), map[bool]string{true: "was", false: "were"}[n == 1], where)
	}
	f.Said = d.said
	return f
}

func (d *outline) profile(p *page) {
	p.line(0, "%s", comment("Written by vitals init from %s (%s). Lines that begin with # decide are guesses.", printable(d.file), d.kind))
	p.line(0, "%s", comment("Every field stands in docs/profiles.md of Vitals; vitals validate --profile checks this file."))
	p.line(0, "profile: %s", text(d.name))
	p.line(0, "about: %s", text(d.about))
	p.line(0, "")
	p.line(0, "# What is counted, and what comes when there was too much of it.")
	written := false
	for _, l := range d.limits {
		if l.limit > 0 && l.window+l.lock > 0 && !written {
			p.line(0, "limits:")
			written = true
		}
	}
	for _, l := range d.limits {
		d.limit(p, l)
	}
	if len(d.limits) == 0 {
		p.mark(0, []string{"limits, as your documents promise them; without one the probes of limits are skipped"})
		p.line(0, "# limits:")
		p.line(0, "#   login: {limit: 5, window: 300s, lock: 900s, counts: failures, by: address, says: docs/security.md:1}")
	}
	p.line(0, "")
	p.line(0, "# What is promised beside limits: what does not stand here is never a FAIL.")
	if len(d.promises) == 0 {
		p.mark(0, []string{"promises: headers of limits, fields of health answers, request ids, CORS, security headers, form of errors, objects (private to their owner), admins, standards"})
	}
	if len(d.promises)+len(d.reserved) > 0 || d.private {
		p.line(0, "promises:")
		for _, line := range d.promises {
			p.line(1, "%s", line)
		}
		if d.private {
			p.mark(1, []string{"whether objects are private to their owner, as they were refused without a token; AU10 asks"})
			p.line(1, "objects: {private: true}")
		}
		d.admins(p)
	}
	p.line(0, "")
	if len(d.operations) == 0 {
		p.mark(0, []string{"operations: none was recognised"})
		p.line(0, "operations: {}")
		return
	}
	if d.signIn == nil && strings.Contains(strings.Join(d.decide, "\n"), "HTTP Basic") {
		p.mark(0, []string{"who asks: requests carried HTTP Basic, by which no probe signs in; those that need somebody are skipped"})
	}
	p.line(0, "operations:")
	for _, name := range ordered(d.operations) {
		o := d.operations[name]
		p.mark(1, o.decide)
		p.line(1, "%s:", name)
		if o.method != "GET" {
			p.line(2, "method: %s", o.method)
		}
		p.line(2, "path: %s", text(o.path))
		p.header(2, o.header)
		p.mark(2, slices.Concat(d.invented(o.body), removed(o.body), changed(o.header, o.body, "")))
		if m, ok := o.body.(map[string]any); ok {
			if p.line(2, "body:%s", map[bool]string{true: "", false: " " + flow(m)}[wide(m)]); wide(m) {
				p.fields(3, m)
			}
			if o.form {
				p.line(2, "form: true")
			}
		}
		if o.ok != 0 {
			p.line(2, "ok: %d", o.ok)
		}
		if o.refused != 0 {
			p.line(2, "refused: %d", o.refused)
		}
		if o.policy != "" {
			p.line(2, "policy: %s", o.policy)
		}
		if len(o.fields) > 0 {
			p.line(2, "fields: %s", pairs(o.fields))
		}
	}
}

// mostReserved is how many of the reads that are not for ordinary accounts are audited.
const mostReserved = 5

// admins has audits ask, as an ordinary account, for what the source reserves for others.
func (d *outline) admins(p *page) {
	var only []string
	for _, c := range d.reserved[:min(len(d.reserved), mostReserved)] {
		only = append(only, "{path: "+flowText(c.operation().path)+"}")
	}
	if len(only) == 0 {
		return
	}
	p.mark(1, []string{"whether these are refused to your test accounts; AU14 of an audit asks for them"})
	says := ""
	if at := d.reserved[0].says; at != "" {
		says = ", says: " + flowText(at)
	}
	p.line(1, "admins: {only: [%s]%s}", strings.Join(only, ", "), says)
}

func (d *outline) limit(p *page, l limit) {
	if l.decide != "" {
		p.mark(1, []string{l.decide})
	}
	fields := []string{}
	off := "# "
	if l.limit > 0 && l.window+l.lock > 0 {
		off = ""
	}
	fields = append(fields, fmt.Sprintf("limit: %d", max(l.limit, 1)))
	if l.window == 0 && l.lock == 0 {
		l.window = time.Second // of a line that is a comment
	}
	if l.window > 0 {
		fields = append(fields, "window: "+span(l.window))
	}
	if l.fixed {
		fields = append(fields, "fixed: true")
	}
	if l.lock > 0 {
		fields = append(fields, "lock: "+span(l.lock))
	}
	if l.counts != "" {
		fields = append(fields, "counts: "+l.counts)
	}
	if l.success != "" {
		fields = append(fields, "success: "+l.success)
	}
	if l.by != "" {
		fields = append(fields, "by: "+l.by)
	}
	if l.statuses != "" {
		fields = append(fields, "statuses: ["+l.statuses+"]")
	}
	if l.header != "" {
		fields = append(fields, "headers: "+l.header)
	}
	if l.says != "" {
		fields = append(fields, "says: "+flowText(l.says))
	}
	p.line(1, "%s%s: {%s}", off, l.policy, strings.Join(fields, ", "))
}

// span is a time as the files have it, without what is zero: 5m, 1h.
func span(d time.Duration) string {
	switch {
	case d >= time.Hour && d%time.Hour == 0:
		return fmt.Sprintf("%dh", d/time.Hour)
	case d >= time.Minute && d%time.Minute == 0:
		return fmt.Sprintf("%dm", d/time.Minute)
	case d >= time.Second && d%time.Second == 0:
		return fmt.Sprintf("%ds", d/time.Second)
	}
	return d.String()
}

// ordered puts the operations in the order in which people look for them.
func ordered(ops map[string]operation) (names []string) {
	for _, name := range []string{"health", "ready", "live", "login", "refresh", "logout", "me", "list", "create", "get", "update", "delete"} {
		if _, ok := ops[name]; ok {
			names = append(names, name)
		}
	}
	for _, name := range keys(ops) {
		found := false
		for _, n := range names {
			found = found || n == name
		}
		if !found {
			names = append(names, name)
		}
	}
	return names
}

func (d *outline) scenario(p *page) {
	p.line(0, "%s", comment("Written by vitals init from %s (%s). Lines that begin with # decide are guesses.", printable(d.file), d.kind))
	p.line(0, "name: %s", text(d.name))
	p.line(0, "about: %s", text(d.about))
	p.line(0, "")
	p.mark(0, []string{"how many users, and for how long; this is a first try, which hurts nobody"})
	p.line(0, "users: 5")
	p.line(0, "spawn_rate: 1/s")
	p.line(0, "run_for: %s", minutes(d.runFor()))
	if d.shown.cookies {
		p.line(0, "cookies: keep")
	}
	p.line(0, "")
	p.mark(0, d.decide)
	if d.signIn != nil {
		sent := "what is saved as token is sent as the bearer token of every step"
		if d.shown.cookies {
			sent = "the cookies that it is given are sent with every step"
		}
		p.line(0, "# The account is a row of accounts.csv; %s.", sent)
		p.line(0, "accounts:")
		for _, s := range []struct {
			name string
			step *step
		}{{"sign_in", d.signIn}, {"refresh", d.refresh}, {"sign_out", d.signOut}} {
			if s.step == nil {
				continue
			}
			p.mark(1, s.step.decide)
			p.line(1, "%s:", s.name)
			d.request(p, 2, *s.step)
		}
		p.line(0, "")
	}
	p.line(0, "journeys:")
	for _, j := range d.journeys {
		p.line(1, "- name: %s", text(j.name))
		if j.think != "" {
			p.line(2, "think: %s", j.think)
		}
		if j.whole {
			p.line(2, "steps:")
			for _, s := range j.tasks[0].steps {
				p.mark(3, s.decide)
				p.line(3, "- name: %s", text(s.name))
				d.request(p, 4, s)
			}
			continue
		}
		p.line(2, "tasks:%s", map[bool]string{true: " # drawn by weight", false: ""}[len(j.tasks) > 1])
		for _, t := range j.tasks {
			if len(t.steps) == 1 {
				p.mark(3, t.steps[0].decide)
			}
			p.line(3, "- name: %s", text(t.name))
			if t.weight > 1 {
				p.line(4, "weight: %d", t.weight)
			}
			if t.think > 0 {
				p.line(4, "think: %s", t.think)
			}
			if len(t.steps) == 1 {
				d.request(p, 4, t.steps[0])
				continue
			}
			p.line(4, "steps:")
			for _, s := range t.steps {
				p.mark(5, s.decide)
				p.line(5, "- name: %s", text(s.name))
				d.request(p, 6, s)
			}
		}
	}
}

// request writes what a step sends, and what it looks at.
func (d *outline) request(p *page, level int, s step) {
	p.line(level, "%s: %s", strings.ToLower(s.method), text(s.path))
	p.header(level, s.header)
	p.mark(level, slices.Concat(d.invented(s.sent), changed(s.header, s.body, s.text)))
	switch m, fields := s.body.(map[string]any); {
	case s.text != "":
		p.line(level, "body: %s", flow(s.text))
	case s.body == nil:
	case fields && wide(m):
		p.line(level, "body:")
		p.fields(level+1, m)
	case fields:
		p.line(level, "body: %s", flow(m))
	default:
		if _, list := s.body.([]any); list {
			p.line(level, "body: %s", flow(s.body))
		} else {
			p.line(level, "body: %s", flow(flow(s.body))) // a bare value, as text
		}
	}
	if s.anonymous && !d.anonymous {
		p.line(level, "anonymous: true")
	}
	if len(s.status) > 0 {
		p.line(level, "expect: {status: %d}", s.status[0])
	}
	if len(s.save) > 0 {
		p.line(level, "save: %s", pairs(s.save))
	}
	if len(s.forget) > 0 {
		p.line(level, "forget: [%s]", strings.Join(s.forget, ", "))
	}
}

func (d *outline) targets(p *page) {
	p.line(0, "%s", comment("Written by vitals init. What is good enough, a sentence each."))
	p.line(0, "name: %s", text(d.name))
	p.line(0, "about: %s", text("first targets of "+d.name))
	p.line(0, "")
	p.line(0, "targets:")
	p.mark(1, []string{"what you promised: these are ordinary figures of an interactive API"})
	p.line(1, "- p95 < 500ms")
	p.line(1, "- errors < 1%%")
}
