package telemetry_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/getsentry/sentry-go"

	"vitals/server/telemetry"
)

func TestEventIsScrubbedEverywhere(t *testing.T) {
	const canary = "password=canary"
	e := sentry.NewEvent()
	e.Message = canary
	e.Transaction = "/x?token=canary"
	e.User = sentry.User{ID: "7", Email: "canary@x.test", IPAddress: "canary", Name: "canary"}
	e.Tags["t"] = canary
	e.Exception = []sentry.Exception{{Value: canary, Mechanism: &sentry.Mechanism{Data: map[string]any{"a": "canary"}}}}
	e.Contexts["trace"] = sentry.Context{"data": map[string]any{"url": "http://h/p?canary=1", "n": 1}}
	e.Contexts["state"] = sentry.Context{"x": "canary"}
	e.Request = &sentry.Request{
		URL: "http://u:canary@h/p?canary", QueryString: "canary", Data: "canary", Cookies: "canary",
		Headers: map[string]string{"Authorization": "canary", "X-Refresh-Token": "canary", "User-Agent": "curl"},
		Env:     map[string]string{"REMOTE_ADDR": "canary"},
	}
	e.Breadcrumbs = []*sentry.Breadcrumb{{Message: canary, Data: map[string]any{"p": canary, "o": []string{"canary"}}}}
	e.Spans = []*sentry.Span{{Description: canary, Data: map[string]any{"u": canary}, Tags: map[string]string{"t": canary}}}
	e.Attachments = []*sentry.Attachment{{Payload: []byte("canary")}}

	out := telemetry.ScrubEvent(e)
	text, err := json.Marshal(out)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(text), "canary") || len(out.Attachments) > 0 {
		t.Errorf("a canary survived: %s", text)
	}
	if out.Request.Headers["User-Agent"] != "curl" || out.User.ID != "7" || out.Request.URL != "http://h/p" {
		t.Errorf("got request %+v, user %+v, want what may stay", out.Request, out.User)
	}
}

func TestBrokenScrubberSendsNothing(t *testing.T) {
	broken := telemetry.Closed(func(*sentry.Event) *sentry.Event { panic("broken") })
	if got := broken(sentry.NewEvent(), nil); got != nil {
		t.Errorf("got %v, want nothing sent", got)
	}
}
