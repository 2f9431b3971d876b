package config

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"unicode"
	"unicode/utf8"

	"vitals/server/fault"
)

// Load reads env, a map of variable to value (os.Environ taken apart), on this
// machine. The error is an Errors with every broken rule; the warnings are
// sentences that begin with a variable's name, for the start-up log, and come
// with the error too. Neither holds a value.
func Load(env map[string]string) (*Config, []string, error) {
	return LoadOn(ThisMachine(), env)
}

// LoadOn is Load with the automatic numbers made for m.
func LoadOn(m Machine, env map[string]string) (*Config, []string, error) {
	c := &Config{sources: map[string]string{}}
	table := variables(c)
	r := &report{unread: map[string]bool{}}
	for _, v := range table {
		if v.def != "" {
			if err := v.value.Set(v.def); err != nil {
				r.reject(v.name, "default: "+err.Error()) // the table is wrong; a test holds it
			}
		}
		c.read(r, env, v)
	}
	if r.unread["ENV"] {
		c.Core.Env = Production // until it is known, the hardest rules hold
	}
	c.complete(r, m)
	c.check(r, m)
	unknown(r, env, table, c.Core.Env)
	if fault.Built {
		broken(r, env, c.Core.Env)
	}
	if err := r.err(table); err != nil {
		return nil, r.warnings, err
	}
	return c, r.warnings, nil
}

// read finds v's text under its name, alias or file, and sets it.
func (c *Config) read(r *report, env map[string]string, v variable) {
	s, given := env[v.name]
	source := "env"
	if v.alias != "" && env[v.alias] != "" {
		if s != "" && s != env[v.alias] {
			r.reject(v.name, "differs from "+v.alias+", which means the same: set one of them")
			return
		}
		s, given = env[v.alias], true
	}
	if v.secret && env[v.name+"_FILE"] != "" {
		if s != "" {
			r.reject(v.name, "is set together with "+v.name+"_FILE: set one of them")
			return
		}
		var err error
		if s, err = readSecret(env[v.name+"_FILE"]); err != nil {
			r.reject(v.name, "in "+v.name+"_FILE: "+err.Error())
			return
		}
		given, source = true, "file"
	}
	if !given {
		return
	}
	err := plain(s)
	if s == "" && !v.blank {
		err = errors.New("is set but empty: unset it or give it a value")
	}
	if err == nil {
		err = v.value.Set(s)
	}
	if err != nil {
		r.reject(v.name, err.Error())
		return
	}
	if s != "" {
		c.sources[v.name] = source
	}
}

// plain refuses what no value needs and a careless paste or an `echo |` brings.
func plain(s string) error {
	switch {
	case !utf8.ValidString(s):
		return errors.New("must be UTF-8")
	case strings.TrimSpace(s) != s:
		return errors.New("must not begin or end with white space")
	case strings.ContainsFunc(s, unicode.IsControl):
		return errors.New("must not contain control characters")
	}
	return nil
}

// secretMaxBytes is far above any key or URL, and below a wrong path's log file.
const secretMaxBytes = 64 << 10

// readSecret reads the file of an X_FILE variable and cuts one line end, as
// docker-library's file_env does. Its errors do not repeat the path.
func readSecret(name string) (string, error) {
	why := func(err error) error {
		var at *os.PathError
		if errors.As(err, &at) {
			err = at.Err
		}
		return errors.New("cannot read the file it names: " + err.Error())
	}
	info, err := os.Stat(name)
	if err != nil {
		return "", why(err)
	}
	if !info.Mode().IsRegular() {
		return "", errors.New("must name a regular file")
	}
	f, err := os.Open(filepath.Clean(name))
	if err != nil {
		return "", why(err)
	}
	defer func() { _ = f.Close() }() // read only: nothing can be lost
	text, err := io.ReadAll(io.LimitReader(f, secretMaxBytes+1))
	switch {
	case err != nil:
		return "", why(err)
	case len(text) > secretMaxBytes:
		return "", errors.New("names a file of more than 64 KiB")
	}
	s := strings.TrimSuffix(strings.TrimSuffix(string(text), "\n"), "\r")
	if s == "" {
		return "", errors.New("names an empty file")
	}
	return s, nil
}

// given reports whether the environment or a file set the variable.
func (c *Config) given(name string) bool { return c.sources[name] != "" }

// complete fills what depends on other variables or on the machine.
func (c *Config) complete(r *report, m Machine) {
	env := c.Core.Env
	if !c.given("HOST") {
		c.Core.Host = "0.0.0.0"
		if env.Local() {
			c.Core.Host = "127.0.0.1"
		}
	}
	if !c.given("DATABASE_URL") && env.Local() {
		c.Database.URL = "sqlite:vitals.db"
	}
	if c.Database.URL.IsSet() {
		d, driver, err := parseDatabase(c.Database.URL.Reveal())
		if err == nil { // else Set has said so
			c.Database.Engine, c.Database.Path, c.Database.URL = d.engine, d.path, Secret(d.url)
		}
		if driver {
			r.warn("DATABASE_URL", "the +driver suffix means nothing here and was dropped")
		}
	}
	if c.Sentry.Environment == "" {
		c.Sentry.Environment = string(env)
	}
	if env == Production && c.Log.Format == "console" {
		r.warn("LOG_FORMAT", "production logs json; console was ignored")
	}
	if env == Production {
		c.Log.Format = "json"
	} else if c.Log.Format == "" {
		c.Log.Format = "console"
	}
	c.CORS.Origins = c.CORS.Production
	if env.Local() {
		c.CORS.Origins = union(c.CORS.Production, c.CORS.Backend)
	}
	if c.CORS.AllowAll && !c.given("CORS_ALLOW_CREDENTIALS") {
		c.CORS.Credentials = false
	}
	c.Workers.CPUs = m.CPUs
	if c.Workers.Count == 0 {
		c.Workers.Auto, c.Workers.Count = true, AutoWorkers(m.CPUs)
	}
	if c.HTTP.MaxInFlight == 0 {
		c.HTTP.MaxInFlight = max(256, 8*c.Pool.Total())
	}
	if c.Hash.Concurrency == 0 {
		// One CPU is left for everybody who is not signing in; workers share the rest.
		c.Hash.Concurrency = max(1, (m.CPUs-1)/c.Workers.Count)
	}
	if c.Core.SecretKey == "" && env.Local() && !c.shared() {
		c.Core.SecretKey, c.Core.EphemeralKey = ephemeralKey(), true
	}
}

// shared reports whether several processes must agree on keys and counters.
func (c *Config) shared() bool { return c.Workers.Count > 1 || c.Core.Replicas > 1 }
