package audit

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"

	"vitals/internal/redact"
)

// Launch starts an API of our own, ended with the probe, and gives the probe
// against it. One that does not start ends the probe: with a skip when a program
// is missing or the machine cannot, with a failure when the API itself refused.
func (t *T) Launch(l Launch) (*T, *API) {
	api := t.attempt(l)
	if api.Exited {
		t.Fail("the API did not start, it ended with code %d: %s", api.Code, t.tail(api))
		t.Stop()
	}
	return t.on(api.Target), api
}

// attempt is Launch for an API that may well refuse to start.
func (t *T) attempt(l Launch) *API {
	api, err := t.run.o.Owner.Launch(t.ctx, l)
	if missing, ok := errors.AsType[*Missing](err); ok {
		t.Skip("%v; install it", missing)
	}
	if err != nil {
		t.Skip("an API of our own could not be started: %v", err)
	}
	t.mu.Lock()
	t.closers = append(t.closers, api.Close)
	t.mu.Unlock()
	for _, secret := range secretsOf(api.Target.Settings) {
		t.run.secrets.add(secret)
	}
	for _, a := range api.Target.Accounts {
		t.run.secrets.add(a.Password)
	}
	what := "it listens at " + api.Target.URL.Host
	if api.Exited {
		what = fmt.Sprintf("it ended with code %d: %s", api.Code, t.tail(api))
	}
	t.script.say(t.began, t.run.secrets.redact(fmt.Sprintf("started an API with %s; %s", settings(l), what)))
	return api
}

// settings words what a launch is about, without secrets' values.
func settings(l Launch) string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(l.Env)) {
		v := l.Env[name]
		if isSecret(name) {
			v = redact.Mark
		}
		if v == "" {
			parts = append(parts, name+" unset")
		} else {
			parts = append(parts, name+"="+v)
		}
	}
	if l.Replicas > 1 {
		parts = append(parts, fmt.Sprintf("%d replicas", l.Replicas))
	}
	if l.Postgres {
		parts = append(parts, "Postgres")
	}
	if l.Redis {
		parts = append(parts, "Redis")
	}
	if len(parts) == 0 {
		return "its defaults"
	}
	return strings.Join(parts, ", ")
}

var secretName = regexp.MustCompile(`SECRET|PASSWORD|_URL$|DSN$|TOKEN$`)

func isSecret(name string) bool {
	return secretName.MatchString(name) && name != "FRONTEND_URL" && !strings.HasSuffix(name, "_FILE")
}

// secretsOf are the texts in an environment that nobody may see: whole values of
// keys, passwords and key parts of URLs.
func secretsOf(env map[string]string) []string {
	var out []string
	for name, v := range env {
		if !isSecret(name) {
			continue
		}
		u, err := url.Parse(v)
		if err != nil || u.Scheme == "" || u.Host == "" {
			if strings.Contains(name, "SECRET") || strings.Contains(name, "PASSWORD") {
				out = append(out, v)
			}
			continue
		}
		if u.User == nil {
			continue
		}
		if word, ok := u.User.Password(); ok {
			out = append(out, word)
		} else if strings.HasSuffix(name, "DSN") {
			out = append(out, u.User.Username())
		}
	}
	return out
}

// tail is the end of an API's output, on one line.
func (t *T) tail(api *API) string {
	b := bytes.TrimSpace(api.Log())
	if len(b) > 600 {
		b = b[len(b)-600:]
	}
	return t.run.secrets.redact(strings.ReplaceAll(string(b), "\n", " | "))
}

// close ends what the probe started, whatever became of it.
func (t *T) close() {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.ctx), 40*time.Second)
	defer cancel()
	t.hangUpAll()
	for _, c := range slices.Backward(t.closers) {
		if err := c(ctx); err != nil {
			t.Note("cleaning up: %v", err)
		}
	}
	t.hangUpAll()
}

// hangUpAll ends every exchange under way and every connection; later ones have clients
// of their own.
func (t *T) hangUpAll() {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, c := range t.clients {
		c.Close()
	}
	clear(t.clients)
}

// file writes a temporary file that is removed with the probe.
func (t *T) file(content string, mode os.FileMode) string {
	f, err := os.CreateTemp("", "vitals-audit-")
	if err != nil {
		t.Skip("no temporary file: %v", err)
	}
	t.mu.Lock()
	t.closers = append(t.closers, func(context.Context) error { return os.Remove(f.Name()) })
	t.mu.Unlock()
	_, werr := f.WriteString(content)
	if err := errors.Join(werr, f.Close(), os.Chmod(f.Name(), mode)); err != nil {
		t.Skip("no temporary file: %v", err)
	}
	return f.Name()
}

// act acts on a part of a launched API; what cannot be done skips.
func (t *T) act(api *API, part, action string) {
	if api.Fault == nil {
		t.Skip("no part of this API is ours to %s", action)
	}
	t.script.say(t.began, action+" "+part)
	if err := api.Fault(t.ctx, part, action); err != nil {
		t.Skip("%s %s: %v", action, part, err)
	}
}

// sql runs a statement; what cannot be done skips.
func (t *T) sql(api *API, q string, args ...any) [][]string {
	if api.SQL == nil {
		t.Skip("its database is out of reach")
	}
	rows, err := api.SQL(t.ctx, q, args...)
	if err != nil {
		t.Skip("%s: %v", strings.Fields(q)[0], err)
	}
	return rows
}

// closing ends a server of ours and waits for it.
func closing(srv interface{ Close() error }, ended <-chan struct{}) func(context.Context) error {
	return func(context.Context) error {
		err := srv.Close()
		<-ended
		return err
	}
}
