package audited

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"time"

	"vitals/internal/audit"
	"vitals/internal/profile"
	"vitals/internal/stack"
	"vitals/internal/stack/containers"
	"vitals/internal/stack/local"
)

// System is the API under audit that Start is to start.
type System struct {
	Binary     string // the vitals binary, which is also the API
	Profile    *profile.Profile
	Containers *containers.Images // of two replicas beside Postgres and Redis; nil = embedded
	ShortClock bool               // locks and timeouts last seconds
	LogFile    string
	Talk       io.Writer
}

// systemAccounts is how many accounts the API under audit is given: each trial
// takes fresh ones.
const systemAccounts = 300

// Start starts the API under audit, and an owner that launches others. end ends
// both; it is nil with an error.
func Start(ctx context.Context, s System) (g *audit.Target, owner *Owner, end func(context.Context) error, err error) {
	outer, err := stack.NewFolder("mail", false) // ours alone to enter
	if err != nil {
		return nil, nil, nil, fmt.Errorf("make a folder for mails: %w", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, outer.Remove())
		}
	}()
	mails := filepath.Join(outer.Path, "mail")
	if err := errors.Join(os.Mkdir(mails, 0o700), os.Chmod(mails, 0o777)); err != nil { // the API may be another user
		return nil, nil, nil, fmt.Errorf("make a folder for mails: %w", err)
	}
	env := Environment(mails)
	var limits map[string]profile.Limit
	if s.ShortClock {
		var short map[string]string
		short, limits = shortClock()
		maps.Copy(env, short)
	}
	var starter stack.Starter
	if s.Containers != nil {
		delete(env, "MAIL_SINK") // it has a place of its own in the containers
		starter = containers.Starter{Binary: s.Binary, Images: *s.Containers, Accounts: systemAccounts, Replicas: 2, Env: env, LogFile: s.LogFile, Mail: mails, Talk: s.Talk}
	} else {
		starter = local.Embedded{Binary: s.Binary, Accounts: systemAccounts, LogFile: s.LogFile, Env: env, Talk: s.Talk}
	}
	st, err := starter.Start(ctx)
	if err != nil {
		return nil, nil, nil, err
	}
	g = &audit.Target{
		URL: st.URL, Replicas: st.Replicas, Profile: s.Profile, Origin: Origin, Own: true, Source: st.Source, Forward: st.Forward,
		Limits: limits, ShortClock: s.ShortClock, Settings: env, Admin: st.Metrics,
		Accounts: accounts(st.Accounts, st.Accounts[0].Password), Mail: stack.Mailbox(mails),
		Log: func() ([]byte, error) { return os.ReadFile(s.LogFile) },
	}
	if st.ReadLog != nil {
		g.Log = func() ([]byte, error) { return st.ReadLog(ctx) }
	}
	owner = NewOwner(Options{Binary: s.Binary, Profile: s.Profile, Containers: s.Containers})
	return g, owner, func(ctx context.Context) error {
		return errors.Join(owner.Close(ctx), st.Close(ctx), outer.Remove())
	}, nil
}

// shortClock are the settings of an API whose locks and timeouts last seconds, and
// the limits that follow from them.
func shortClock() (map[string]string, map[string]profile.Limit) {
	env := map[string]string{
		"ENV": "test", "RATE_LIMIT_LOCKOUT_DURATION": "6", "RATE_LIMIT_LOGIN_WINDOW": "12", "RATE_LIMIT_API_WINDOW": "12",
		"PASSWORD_RESET_TTL": "20", "READ_HEADER_TIMEOUT": "3", "READ_TIMEOUT": "6",
	}
	limits := map[string]profile.Limit{}
	for name, l := range profile.Clinic().Limits {
		if l.Lock > 0 {
			l.Lock = 6 * time.Second
		}
		if name == "login" || name == "api" {
			l.Window = 12 * time.Second
		}
		limits[name] = l
	}
	return env, limits
}
