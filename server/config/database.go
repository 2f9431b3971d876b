package config

import (
	"errors"
	"net/url"
	"slices"
	"strings"
)

// databaseURL is the form of DATABASE_URL; production's rules are in rules.go.
func databaseURL(s string) error {
	_, _, err := parseDatabase(s)
	return err
}

// dsn is DATABASE_URL taken apart. Its errors never repeat the text.
type dsn struct {
	engine   Engine
	url      string // without +driver
	path     string // SQLite
	user     string
	password string
	host     string // "" or a path for a unix socket
	sslmode  string
}

// parseDatabase returns the parts and whether a +driver suffix was dropped.
func parseDatabase(s string) (d dsn, driver bool, err error) {
	scheme, rest, ok := strings.Cut(s, ":")
	if !ok {
		return d, false, errors.New("must be a URL: postgres://user@host/database or sqlite:PATH")
	}
	scheme, _, driver = strings.Cut(scheme, "+")
	d.url = scheme + ":" + rest
	switch scheme {
	case "sqlite":
		d.engine = SQLite
		d.path, err = sqlitePath(rest)
	case "postgres", "postgresql":
		d.engine = Postgres
		err = d.parsePostgres()
	default:
		err = errors.New("want a URL that begins with sqlite:, postgres:// or postgresql:// (the last two mean the same)")
	}
	return d, driver, err
}

// sqlitePath reads sqlite:PATH and the three- and four-slash forms that
// SQLAlchemy users know: sqlite:///relative, sqlite:////absolute.
func sqlitePath(rest string) (string, error) {
	path := rest
	if after, ok := strings.CutPrefix(rest, "//"); ok {
		path, ok = strings.CutPrefix(after, "/")
		if !ok {
			return "", errors.New("must name a file: sqlite:PATH or sqlite:///PATH")
		}
	}
	if path == "" || strings.Contains(path, ":memory:") || strings.ContainsAny(path, "?#%") {
		return "", errors.New("must name a plain file (no memory database, no ?, # or %): sqlite:PATH")
	}
	return path, nil
}

func (d *dsn) parsePostgres() error {
	u, err := url.Parse(d.url)
	if err != nil || u.Opaque != "" {
		return errors.New("must be a URL; percent-encode special characters in the password")
	}
	q, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return errors.New("must have well-formed parameters")
	}
	for name := range q {
		if strings.HasPrefix(name, "pool_") {
			return errors.New("must not carry pool_* parameters: the DB_POOL_* variables decide")
		}
	}
	if q.Has("ssl") {
		return errors.New("must say sslmode, not ssl")
	}
	if q.Has("service") || q.Has("servicefile") {
		return errors.New("must not name a service file: what it says cannot be checked")
	}
	// The parameter wins over the authority, as in libpq and pgx.
	or := func(name, authority string) string {
		if q.Has(name) {
			return q.Get(name)
		}
		return authority
	}
	password, _ := u.User.Password()
	d.user, d.password = or("user", u.User.Username()), or("password", password)
	d.host, d.sslmode = or("host", u.Hostname()), q.Get("sslmode")
	modes := []string{"", "disable", "allow", "prefer", "require", "verify-ca", "verify-full"}
	switch {
	case d.host == "":
		return errors.New("must name a host")
	case or("dbname", or("database", strings.TrimPrefix(u.Path, "/"))) == "":
		return errors.New("must name a database after the host")
	case !slices.Contains(modes, d.sslmode):
		return errors.New("must have an sslmode of disable, allow, prefer, require, verify-ca or verify-full")
	}
	return nil
}

// local reports whether the database is reached without a network.
func (d dsn) local() bool { return strings.HasPrefix(d.host, "/") || loopback(d.host) }

// encrypted reports whether TLS is certain: prefer and allow fall back to plaintext.
func (d dsn) encrypted() bool {
	return slices.Contains([]string{"require", "verify-ca", "verify-full"}, d.sslmode)
}

// samplePassword reports a password that guides print, or one
// that repeats the user's name.
func samplePassword(user, password string) bool {
	known := []string{"strongpassword", "password", "postgres", "changeme", "secret"}
	return password != "" && (slices.Contains(known, strings.ToLower(password)) || password == user || placeholderWords.MatchString(password))
}
