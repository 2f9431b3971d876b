package audit

import (
	"bytes"
	"fmt"
	"maps"
	"net/http"
	"os"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"time"
)

func configuration() []Probe {
	return []Probe{
		{
			ID: "CF1", Title: "missing, short and published secret keys refuse to start in production", Guide: "production-guide:327", Class: Control, run: weakKeys,
			Why: "The sample key of a guide passes every rule of length, and everybody can read it: it signs tokens for all who copied it.",
			Fix: "Refuse keys under 32 bytes, placeholders and published samples by value; never print what was refused.",
		},
		{
			ID: "CF2", Title: "dangerous settings refuse to start, all named in one message", Guide: "production-guide:328", Class: Control, run: dangerousSettings,
			Why: "A misspelt limit silently becomes its default; one error at a time makes a deployment an evening.",
			Fix: "Validate everything at start, gather all errors, name variables and rules.",
		},
		{
			ID: "CF3", Title: "careless origins refuse to start in production", Guide: "production-guide:39", Class: Control, run: carelessOrigins,
			Why: "http, null or a placeholder in the list of origins is a door left open by a copied file.",
			Fix: "Accept exact https origins alone in production.",
		},
		{
			ID: "CF4", Title: "secrets may come from files, and never from two places", Guide: "hardening-summary:14", Class: Control, run: secretFiles,
			Why: "Of two values one is the wrong one, and nobody knows which is in force.",
			Fix: "Read NAME_FILE when it is set; refuse both, and what cannot be read.",
		},
		{
			ID: "CF5", Title: "no secret's bytes are in the log, the settings shown or the metrics", Guide: "hardening-summary:9", Class: Control, run: secretsHidden,
			Why: "A key in a log is a key in every place that logs are copied to.",
			Fix: "Keep secrets in a type that prints as set(len=N).",
		},
		{
			ID: "CF6", Title: "as many workers run as the formula says and the metrics claim", Guide: "hardening-summary:122", Class: Control, run: workers,
			Why: "A worker number that is printed and not used, or read from the host's processors, is a capacity that is not there.",
			Fix: "max(2, 2 x CPUs - 1) of the processors that the process may use; report configured and running.",
		},
		{
			ID: "CF7", Title: "the pool is logged as the guide says, and never larger than the database", Guide: "production-guide:205", Class: Control, run: poolLine,
			Why: "Pool sizes are per process: four workers of thirty connections meet a database of a hundred at the worst moment.",
			Fix: "Log size, overflow, timeout and recycle at start; refuse more connections in all than the database takes.",
		},
	}
}

// The keys that the guides print.
const (
	sampleKeyShortGuide = "your-32-char-or-longer-secret-key"
	sampleKeyGuide      = "6HK2DZj8qL4xPRvYnM9aS7cWfT3gJbE0uNhXiYlOpQw"
	goodKey             = "kW7pR2vXq9LmZ4tBn8cYf3HdJs6GaUe1oTiQ5xVw"
)

const productionOrigin = "https://app.clinic-under-audit.org"

// production is a configuration that production accepts, but for its database,
// which nothing here connects to.
func production(change map[string]string) map[string]string {
	env := map[string]string{
		"ENV": "production", "SECRET_KEY": goodKey, "DATABASE_URL": "postgres://clinic:Rv7Lq2Wn9Xk4@127.0.0.1:1/clinic",
		"PRODUCTION_CORS_ORIGINS": productionOrigin, "BACKEND_CORS_ORIGINS": "", "FRONTEND_URL": productionOrigin, "MAIL_SINK": "none",
		"TWO_FACTOR_REQUIRED_ROLES": "",
	}
	maps.Copy(env, change)
	return env
}

// ownStores leaves the database to the owner.
func ownStores(env map[string]string) map[string]string {
	delete(env, "DATABASE_URL")
	return env
}

// refuses starts an API that must refuse, and name the variables.
func (t *T) refuses(what string, env map[string]string, names ...string) {
	api := t.attempt(Launch{Env: env, Bare: true})
	if !t.Check(api.Exited && api.Code != 0, "%s: it started", what) {
		return
	}
	log := api.Log()
	for _, name := range names {
		t.Check(bytes.Contains(log, []byte(name)), "%s: the refusal does not name %s: %s", what, name, t.tail(api))
	}
	for _, secret := range secretsOf(env) {
		t.Check(len(secret) < 8 || !bytes.Contains(log, []byte(secret)), "%s: the refusal prints the secret's value", what)
	}
}

// accepts checks a configuration by the program's own check, which connects to
// nothing.
func (t *T) accepts(what string, env map[string]string) *API {
	api := t.attempt(Launch{Env: env, Bare: true, Args: []string{"serve", "config"}})
	t.Check(api.Exited && api.Code == 0, "%s: it was refused: %s", what, t.tail(api))
	return api
}

func weakKeys(t *T) {
	t.refuses("no key", production(map[string]string{"SECRET_KEY": ""}), "SECRET_KEY")
	t.refuses("a key of 31 characters", production(map[string]string{"SECRET_KEY": goodKey[:31]}), "SECRET_KEY")
	t.refuses("the sample key of the production guide, line 20", production(map[string]string{"SECRET_KEY": sampleKeyShortGuide}), "SECRET_KEY")
	t.refuses("the sample key of the production guide, line 360", production(map[string]string{"SECRET_KEY": sampleKeyGuide}), "SECRET_KEY")
	t.accepts("a good key of 32 characters", production(map[string]string{"SECRET_KEY": goodKey[:32]}))
	live, _ := t.Launch(Launch{Postgres: true, Bare: true, Env: ownStores(production(map[string]string{"SECRET_KEY": goodKey[:32]}))})
	live.Want(live.Do("ready", live.plain(), "", nil), http.StatusOK)
}

func dangerousSettings(t *T) {
	for _, c := range []struct {
		what, name, value string
	}{
		{"every origin allowed", "CORS_ALLOW_ALL", "true"}, {"no rate limits", "RATE_LIMIT_ENABLED", "false"},
		{"SQLite", "DATABASE_URL", "sqlite:/tmp/clinic.db"}, {"an unknown environment", "ENV", "prod"},
		{"a misspelt variable", "RATE_LIMIT_LOGNI", "50"},
	} {
		t.refuses(c.what, production(map[string]string{c.name: c.value}), c.name)
	}
	t.refuses("two names for the environment that differ", production(map[string]string{"ENVIRONMENT": "staging"}), "ENV")
	t.refuses("all at once", production(map[string]string{
		"CORS_ALLOW_ALL": "true", "RATE_LIMIT_ENABLED": "false", "DATABASE_URL": "sqlite:/tmp/clinic.db", "RATE_LIMIT_LOGNI": "50",
	}), "CORS_ALLOW_ALL", "RATE_LIMIT_ENABLED", "DATABASE_URL", "RATE_LIMIT_LOGNI")
}

func carelessOrigins(t *T) {
	for _, origin := range []string{"", "*", "null", "http://app.clinic-under-audit.org", productionOrigin + "/", "https://example.com", "https://localhost", "https://app.clinic-under-audit.org/path", "https://*.clinic-under-audit.org"} {
		t.refuses(fmt.Sprintf("origins %q", origin), production(map[string]string{"PRODUCTION_CORS_ORIGINS": origin}), "CORS_ORIGINS")
	}
	t.accepts("two https origins", production(map[string]string{"PRODUCTION_CORS_ORIGINS": productionOrigin + ",https://admin.clinic-under-audit.org"}))
}

func secretFiles(t *T) {
	key := t.file(goodKey+"\n", 0o600)
	live, _ := t.Launch(Launch{Bare: true, Env: map[string]string{"SECRET_KEY": "", "SECRET_KEY_FILE": key}})
	live.Want(live.Do("health", live.plain(), "", nil), http.StatusOK)
	t.refuses("the key twice", production(map[string]string{"SECRET_KEY_FILE": key}), "SECRET_KEY")
	t.refuses("a key file that is not there", production(map[string]string{"SECRET_KEY": "", "SECRET_KEY_FILE": key + ".none"}), "SECRET_KEY")
	t.refuses("a folder as key file", production(map[string]string{"SECRET_KEY": "", "SECRET_KEY_FILE": os.TempDir()}), "SECRET_KEY")
}

func secretsHidden(t *T) {
	dsn := "http://9f2c41d07be84e55a1c3d6f7b8e9a0c1@127.0.0.1:9/1"
	live, api := t.Launch(Launch{Postgres: true, Redis: true, Env: map[string]string{"LOG_LEVEL": "DEBUG", "SENTRY_DSN": dsn}})
	s := live.Session()
	live.Guess(live.Address(), s.Email)
	live.Do("me", s.from, s.access, nil)
	texts := map[string][]byte{"the log": api.Log()}
	if page, err := api.Target.fetch(t.ctx, api.Target.Admin); err == nil {
		texts["the metrics page"] = page
	} else {
		t.Skip("the metrics page cannot be read: %v", err)
	}
	for _, args := range [][]string{{"serve", "config"}, {"serve", "config", "--json"}} {
		shown := t.attempt(Launch{Bare: true, Args: args, Env: api.Target.Settings})
		texts[strings.Join(args, " ")] = shown.Log()
		t.Check(shown.Code == 0 && bytes.Contains(shown.Log(), []byte("set(len=")), "%s: it shows no secret in redacted form: %s", strings.Join(args, " "), t.tail(shown))
	}
	secrets := append(secretsOf(api.Target.Settings), s.Password, s.access, s.refresh)
	t.Check(len(secrets) >= 6, "only %d secrets were planted, want at least 6", len(secrets))
	for where, text := range texts {
		for i, secret := range secrets {
			t.Check(secret == "" || !bytes.Contains(text, []byte(secret)), "secret %d of %d stands in %s", i+1, len(secrets), where)
		}
	}
}

func workers(t *T) {
	var held, not []string
	for _, cpus := range []int{1, 2, 4, 8} {
		if cpus > runtime.NumCPU() {
			not = append(not, strconv.Itoa(cpus))
			continue
		}
		want := max(2, 2*cpus-1)
		live, api := t.Launch(Launch{Bare: true, CPUs: cpus, Env: map[string]string{"WORKERS": "auto"}})
		for range 50 { // workers beat one after the other
			if t.gauge(api, "process_workers", "running") == float64(want) {
				break
			}
			t.sleep(100 * time.Millisecond)
		}
		configured, running := t.gauge(api, "process_workers", "configured"), t.gauge(api, "process_workers", "running")
		t.Check(configured == float64(want), "with %d processors %g workers are configured, want %d", cpus, configured, want)
		t.Check(running == float64(want), "with %d processors %g workers say they run, want %d", cpus, running, want)
		if n, ok := children(api.PIDs()[0]); ok {
			t.Check(n == want, "with %d processors there are %d worker processes, want %d", cpus, n, want)
		}
		live.Want(live.Do("health", live.plain(), "", nil), http.StatusOK)
		held = append(held, strconv.Itoa(cpus))
	}
	if not != nil && !t.Failed() {
		t.Skip("it holds for %s processors; this machine has not %s", strings.Join(held, " and "), strings.Join(not, " or "))
	}
}

func (t *T) gauge(api *API, name, state string) float64 {
	page, err := api.Target.scrape(t.ctx, api.Target.Admin)
	if err != nil {
		t.Skip("%v", err)
	}
	return sum(page, name, map[string]string{"state": state})
}

// children counts a process's child processes; false where /proc is not.
func children(pid int) (int, bool) {
	dirs, err := os.ReadDir("/proc")
	if err != nil {
		return 0, false
	}
	n := 0
	for _, d := range dirs {
		stat, err := os.ReadFile("/proc/" + d.Name() + "/stat")
		if err != nil {
			continue
		}
		_, after, ok := strings.Cut(string(stat), ") ")
		if f := strings.Fields(after); ok && len(f) > 1 && f[1] == strconv.Itoa(pid) {
			n++
		}
	}
	return n, true
}

var poolPattern = regexp.MustCompile(`Connection pool: size=10, max_overflow=20, timeout=30s, recycle=3600s`)

func poolLine(t *T) {
	_, api := t.Launch(Launch{Postgres: true, Bare: true, Env: map[string]string{"DB_POOL_SIZE": "10", "DB_MAX_OVERFLOW": "20", "DB_POOL_TIMEOUT": "30", "DB_POOL_RECYCLE": "3600"}})
	t.Check(poolPattern.Match(api.Log()), "no log line says %q", poolPattern)
	env := ownStores(production(map[string]string{"DB_POOL_SIZE": "10", "DB_MAX_OVERFLOW": "20", "WORKERS": "4"}))
	big := t.attempt(Launch{Postgres: true, Redis: true, Bare: true, Env: env})
	t.Check(big.Exited && big.Code != 0, "4 workers of 30 connections started on a database of 100")
	t.Check(!big.Exited || bytes.Contains(big.Log(), []byte("DB_POOL_SIZE")), "the refusal does not name DB_POOL_SIZE: %s", t.tail(big))
}
