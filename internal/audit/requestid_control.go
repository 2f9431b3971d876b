package audit

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"time"
)

func requestIDControl() []Probe {
	return []Probe{
		{
			ID: "RQ4", Title: "every line of a run's log parses, with the guide's fields", Guide: "production-guide:93", Class: Control, run: logLines,
			Why: "A log that parses nearly always loses the lines of the error that matters.",
			Fix: "One encoder for all output, standard library and panics included.",
		},
		{
			ID: "RQ5", Title: "no credential reaches the log or the error reports", Guide: "production-guide:246", Class: Control, run: credentialsHidden,
			Why: "What a log keeps, its readers, its backups and its search index keep.",
			Fix: "Log no body, query or Authorization; scrub every event before it is sent.",
		},
	}
}

var (
	logTime  = regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$`)
	logLevel = []string{"DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"}
)

// exercise sends one of each kind of request.
func (t *T) exercise() session {
	s := t.Session()
	t.Do("me", s.from, s.access, nil)
	t.Do("me", s.from, "", nil)
	t.Guess(s.from, s.Email)
	t.lockOut(t.Address(), unknownAccount())
	for _, q := range t.kinds() {
		t.Send(q)
	}
	t.Raw("GET", t.Operation("health").Path, "X-Request-ID: a\r\n {\"level\":\"CRITICAL\"}", "", "folded id")
	t.Do("create", s.from, s.access, values{"medication_name": "line\nbreak \"quoted\" \u2028"})
	return s
}

func logLines(t *T) {
	live, api := t.Launch(Launch{Env: map[string]string{"LOG_LEVEL": "DEBUG"}})
	live.exercise()
	code := api.Stop(t.ctx, 0)
	t.Check(code == 0, "the API left with code %d", code)
	log := api.Log()
	n, requests := 0, 0
	for line := range bytes.Lines(log) {
		n++
		var m map[string]any
		if err := json.Unmarshal(line, &m); !t.Check(err == nil, "line %d is no JSON: %s", n, cut(string(line))) {
			continue
		}
		text := func(name string) string { s, _ := m[name].(string); return s }
		t.Check(logTime.MatchString(text("timestamp")), "line %d: timestamp %q, want 2006-01-02T15:04:05.000000Z", n, text("timestamp"))
		t.Check(slices.Contains(logLevel, text("level")), "line %d: level %q, want one of %v", n, text("level"), logLevel)
		for _, name := range []string{"logger", "message", "module", "function"} {
			t.Check(text(name) != "", "line %d: no %s: %s", n, name, cut(string(line)))
		}
		at, ok := m["line"].(float64)
		t.Check(ok && at > 0, "line %d: line is %v, want a number", n, m["line"])
		if _, ok := m["status"]; ok {
			requests++
			t.Check(text("request_id") != "", "line %d: an access line without request_id: %s", n, cut(string(line)))
		}
	}
	t.Check(n > 10 && requests > 5, "only %d lines, %d of them of requests", n, requests)
}

func credentialsHidden(t *T) {
	sink := t.sink(nil)
	live, api := t.Launch(Launch{Postgres: true, Env: map[string]string{"LOG_LEVEL": "DEBUG", "SENTRY_DSN": sink.dsn, "SENTRY_TRACES_SAMPLE_RATE": "1"}})
	s := live.exercise()
	secret := live.SecondFactor(s)
	canary := Account{Email: "canary-4471@vitals.test", Password: "Canary-pass-99-" + wrongPassword()}
	live.SignIn(live.Address(), canary)
	live.Do("password_reset", live.Address(), "", values{"email": canary.Email})
	token := live.ResetToken(live.Address(), s.Email)
	live.Do("password_reset_confirm", live.Address(), "", values{"token": token, "new_password": strong()})
	live.sql(api, "ALTER TABLE medications RENAME TO medications_gone")
	other := live.Session()
	q := live.Request("create", other.from, other.access, values{"medication_name": "canary-medication-8812"})
	q.Path += "?canary=query-7731"
	q.Header.Set("X-Refresh-Token", other.refresh)
	t.Want(live.Send(q), http.StatusInternalServerError)
	for range 50 {
		if len(sink.items("event")) > 0 {
			break
		}
		t.sleep(100 * time.Millisecond)
	}
	t.Check(len(sink.items("event")) > 0, "the error made no event, so what events hold was not seen")
	for where, text := range map[string][]byte{"the log": api.Log(), "an error report": sink.all()} {
		for what, canary := range map[string]string{
			"a password that was tried": canary.Password, "an email that was tried": canary.Email, "the password of an account": s.Password,
			"an access token": s.access, "a refresh token": s.refresh, "the refresh token in a header": other.refresh, "a second factor's secret": secret,
			"a reset token": token, "the query": "query-7731", "a request's body": "canary-medication-8812",
		} {
			t.Check(!bytes.Contains(text, []byte(canary)), "%s stands in %s", what, where)
		}
	}
}

// seconds is a duration as the API's settings and SQL take it.
func seconds(d time.Duration) string { return fmt.Sprintf("%g", d.Seconds()) }
