// Package identity is who uses the clinic API and how they prove it: sign-in
// with password and second factor, sessions, password change and reset, and the
// users that an admin manages. What is counted and locked
// is the limiter's to decide; who may see which patient is the clinic's.
package identity

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"vitals/server/identity/mail"
	"vitals/server/identity/password"
	"vitals/server/identity/token"
	"vitals/server/limit"
	"vitals/server/store"
	"vitals/server/web"
)

// Options is what an operator decides about accounts.
type Options struct {
	AccessTTL    time.Duration
	RefreshTTL   time.Duration // of one refresh token, renewed at each use
	ChallengeTTL time.Duration // between password and second factor
	ResetTTL     time.Duration // of a mailed reset token

	Registration bool   // anyone may ask for an account
	FrontendURL  string // origin that mailed links go to; never taken from a request
	Issuer       string // the service's name in authenticator apps; "" = Clinic
	// TwoFactorRoles must have a confirmed second factor: without it their
	// users can sign in and enrol, but act in no role.
	TwoFactorRoles []web.Role
}

// Deps is what the service works with. Metrics, Log and Now may be nil: no
// metrics, no log, the machine's clock.
type Deps struct {
	DB        store.DB
	Keys      *token.Keyring
	Hasher    *password.Hasher
	Passwords *password.Policy
	Gate      *limit.Gate
	Mail      mail.Sink
	// HasPatient reports whether a clinic has a patient record; nil means that
	// no account can be linked to one by an admin.
	HasPatient func(ctx context.Context, q store.Querier, clinicID, patientID string) (bool, error)
	Metrics    prometheus.Registerer
	Log        *slog.Logger
	Now        func() time.Time
}

// Service answers the identity routes and the middleware's two questions:
// Authenticate and CheckSession.
type Service struct {
	Options
	db         store.DB
	keys       *token.Keyring
	hasher     *password.Hasher
	passwords  *password.Policy
	gate       *limit.Gate
	mail       mail.Sink
	hasPatient func(ctx context.Context, q store.Querier, clinicID, patientID string) (bool, error)
	log        *slog.Logger
	now        func() time.Time
	attempts   *prometheus.CounterVec
	wake       chan struct{} // to Run: the outbox has work
}

// New checks its parts and registers auth_attempts_total{endpoint,outcome}.
func New(o Options, d Deps) (*Service, error) {
	if d.DB == nil || d.Keys == nil || d.Hasher == nil || d.Passwords == nil || d.Gate == nil || d.Mail == nil {
		return nil, errors.New("start identity: database, keys, hasher, password policy, gate and mail are required")
	}
	if min(o.AccessTTL, o.RefreshTTL, o.ChallengeTTL, o.ResetTTL) <= 0 {
		return nil, errors.New("start identity: every token needs a positive lifetime")
	}
	if o.FrontendURL == "" {
		return nil, errors.New("start identity: mailed links need FRONTEND_URL")
	}
	o.Issuer = cmp.Or(o.Issuer, "Clinic")
	s := &Service{
		Options: o, db: d.DB, keys: d.Keys, hasher: d.Hasher, passwords: d.Passwords, gate: d.Gate, mail: d.Mail,
		hasPatient: d.HasPatient, log: d.Log, now: d.Now, wake: make(chan struct{}, 1),
		attempts: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "auth_attempts_total", Help: "Credential checks by endpoint and outcome.",
		}, []string{"endpoint", "outcome"}),
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	if s.now == nil {
		s.now = time.Now
	}
	if d.Metrics != nil {
		if err := d.Metrics.Register(s.attempts); err != nil {
			return nil, fmt.Errorf("register identity metrics: %w", err)
		}
	}
	return s, nil
}

// millis is the form in which the database keeps a time.
func (s *Service) millis() int64 { return s.now().UnixMilli() }
