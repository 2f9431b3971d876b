package config

import (
	"errors"
	"net/url"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
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
	flaws    []string // what its parameters must not say, though it can be read
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

// errAmbiguous is for a URL that two parsers may read in two ways. What one of them
// takes for a host name, and so puts into its errors, may be a part of the password.
var errAmbiguous = errors.New("must be a URL that can be read in one way only: percent-encode special characters in the password (@ is %40, / is %2F, : is %3A)")

// unambiguous refuses a URL with an @ other than the one that ends its user and
// password.
func unambiguous(s string) error {
	u, err := url.Parse(s)
	if err != nil || u.Opaque != "" {
		return errAmbiguous
	}
	most := 0
	if u.User != nil {
		most = 1
	}
	if strings.Count(s, "@") > most {
		return errAmbiguous
	}
	return nil
}

func (d *dsn) parsePostgres() error {
	if err := unambiguous(d.url); err != nil {
		return err
	}
	u, err := url.Parse(d.url)
	if err != nil {
		return errAmbiguous
	}
	q, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return errors.New("must have well-formed parameters")
	}
	for name := range q {
		if strings.HasPrefix(name, "pool_") {
			d.flaws = append(d.flaws, "must not carry pool_* parameters: the DB_POOL_* variables decide")
			break
		}
	}
	if q.Has("ssl") {
		d.flaws = append(d.flaws, "must say sslmode, not ssl")
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
	return d.sameHost()
}

// sameHost holds the host that the rules judge to the one that will be dialled.
func (d *dsn) sameHost() error {
	dialled, err := pgconn.ParseConfig(d.url)
	if err != nil {
		return errors.New("is not a URL that the Postgres driver accepts") // its words hold parts of the URL
	}
	first, _, _ := strings.Cut(d.host, ",")
	if dialled.Host != strings.Trim(first, "[]") || dialled.User != d.user && d.user != "" || dialled.Password != d.password && d.password != "" {
		return errAmbiguous
	}
	return nil
}

// local reports whether the database is reached without a network.
func (d dsn) local() bool { return strings.HasPrefix(d.host, "/") || loopback(d.host) }

// encrypted reports whether TLS is certain: prefer and allow fall back to plaintext.
func (d dsn) encrypted() bool {
	return slices.Contains([]string{"require", "verify-ca", "verify-full"}, d.sslmode)
}

// samplePassword is what is wrong with a password that guides print, that repeats the
// user's name, or that has a word of placeholders in it; "" when nothing is.
func samplePassword(user, password string) string {
	known := []string{"strongpassword", "password", "postgres", "redis", "changeme", "secret"}
	switch {
	case password == "":
		return ""
	case slices.Contains(known, strings.ToLower(password)):
		return "has a sample password, which guides print"
	case password == user:
		return "has a password that equals the user"
	case placeholderWords.MatchString(password):
		return "has a password with a word of placeholders in it (secret, password, changeme, example and their like)"
	}
	return ""
}
