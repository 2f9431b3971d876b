package server

import (
	"context"
	"crypto/hkdf"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"

	"github.com/danielgtaylor/huma/v2"
	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"

	"vitals/server/clinic"
	"vitals/server/config"
	"vitals/server/fault"
	"vitals/server/identity"
	"vitals/server/identity/mail"
	"vitals/server/identity/password"
	"vitals/server/identity/token"
	"vitals/server/limit"
	"vitals/server/store"
	"vitals/server/telemetry"
)

// Services are the parts behind the chain, open and at work.
type Services struct {
	deps   Deps
	db     *store.SQL
	gate   *limit.Gate
	work   *errgroup.Group // what runs beside the requests
	enough context.CancelFunc
}

// Host is what a process gives its services.
type Host struct {
	Log      *slog.Logger
	Registry prometheus.Registerer
	Version  string
	// Trace begins the span of one request; nil = no tracing.
	Trace func(ctx context.Context, method, route string) (context.Context, func(status int))
}

// Migrate brings the configured database to this program's schema, once for several
// workers, which must not do it at the same time.
func Migrate(ctx context.Context, cfg *config.Config) error {
	db, err := store.Open(ctx, cfg, nil, nil)
	if err != nil {
		return err
	}
	return errors.Join(db.Migrate(ctx), db.Close())
}

// OpenServices opens what the configuration names and maps it to each service's own
// options. migrate is false in a worker, whose supervisor has done it.
func OpenServices(ctx context.Context, cfg *config.Config, h Host, migrate bool) (_ *Services, err error) {
	working, enough := context.WithCancel(context.WithoutCancel(ctx))
	s := &Services{work: new(errgroup.Group), enough: enough}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Close())
		}
	}()
	if s.db, err = store.Open(ctx, cfg, h.Log, h.Registry); err != nil {
		return nil, err
	}
	if migrate {
		if err := s.db.Migrate(ctx); err != nil {
			return nil, err
		}
	}
	options, err := limitOptions(cfg)
	if err != nil {
		return nil, err
	}
	log := telemetry.Named(h.Log, "app.server")
	s.gate, err = limit.Open(ctx, options, locks{store.Locks{DB: s.db}}, h.Registry, telemetry.Named(h.Log, telemetry.SecurityLogger))
	if err != nil {
		return nil, err
	}
	s.run(working, log, "limiter", s.gate.Run)

	who, err := openIdentity(cfg, h, s.db, s.gate)
	if err != nil {
		return nil, err
	}
	s.run(working, log, "outbox", who.Run)
	proxies := limit.Proxies{Trusted: cfg.Proxy.Trusted, Header: cfg.Proxy.Header}
	s.deps = Deps{
		Log: h.Log, Registry: h.Registry, Version: h.Version, Trace: h.Trace,
		ClientIP:     proxies.ClientIP,
		Authenticate: who.Authenticate, CheckSession: who.CheckSession,
		Gate: s.gate, OwnPolicy: who.OwnPolicy(), Early: who.Early(),
		CheckDatabase: s.db.Ready,
		Register: []func(huma.API){
			func(api huma.API) { identity.Register(api, who) },
			func(api huma.API) { clinic.Register(api, clinic.Deps{DB: s.db}) },
		},
	}
	if fault.Is(fault.ReadyThroughPool) {
		s.deps.CheckDatabase = throughPool(s.db)
	}
	return s, nil
}

// run starts work that lasts as long as the services. Its early end harms what comes
// later and no request now, so it is logged and the service goes on.
func (s *Services) run(ctx context.Context, log *slog.Logger, name string, work func(context.Context) error) {
	s.work.Go(func() error {
		err := work(ctx)
		if ctx.Err() != nil {
			return nil // its end was asked for
		}
		log.Log(ctx, telemetry.LevelCritical, "work beside the requests has ended", "work", name, "error", err)
		return err
	})
}

// openIdentity builds the service that knows users.
func openIdentity(c *config.Config, h Host, db store.DB, gate *limit.Gate) (*identity.Service, error) {
	keys, err := token.NewKeyring(c.Core.SecretKey.Reveal(), c.Core.SecretKeyPrevious.Reveal())
	if err != nil {
		return nil, fmt.Errorf("derive keys: %w", err)
	}
	hasher, err := password.NewHasher(hashCost(c), password.Limits{
		Concurrency: c.Hash.Concurrency, Queue: c.Hash.Queue, Wait: c.Hash.QueueTimeout,
	}, h.Registry)
	if err != nil {
		return nil, fmt.Errorf("set up password hashing: %w", err)
	}
	post, err := mail.Open(c.Mail.Sink.Reveal(), telemetry.Named(h.Log, "app.mail"))
	if err != nil {
		return nil, fmt.Errorf("open the mail sink: %w", err)
	}
	return identity.New(identityOptions(c), identity.Deps{
		DB: db, Keys: keys, Hasher: hasher, Passwords: password.NewPolicy(c.Passwords.MinLength),
		Gate: gate, Mail: post, HasPatient: hasPatient,
		Metrics: h.Registry, Log: telemetry.Named(h.Log, telemetry.SecurityLogger),
	})
}

// New builds the API over the services.
func (s *Services) New(cfg *config.Config) (*Server, error) { return New(cfg, s.deps) }

// Close ends the work, then what it worked on.
func (s *Services) Close() error {
	s.enough()
	err := s.work.Wait()
	if s.gate != nil {
		err = errors.Join(err, s.gate.Close())
	}
	if s.db != nil {
		err = errors.Join(err, s.db.Close())
	}
	return err
}

// hasPatient tells identity, which knows no records, whether a clinic has one.
func hasPatient(ctx context.Context, q store.Querier, clinicID, patientID string) (bool, error) {
	var n int
	err := q.QueryRowContext(ctx,
		`SELECT count(*) FROM patients WHERE id = $1 AND clinic_id = $2 AND deleted_at IS NULL`, patientID, clinicID).Scan(&n)
	if err != nil {
		return false, fmt.Errorf("look for the patient's record: %w", err)
	}
	return n == 1, nil
}

// locks keeps the limiter's locks in the database.
type locks struct{ store.Locks }

// Save implements limit.Locks.
func (l locks) Save(ctx context.Context, lock limit.Lock) error {
	return l.Locks.Save(ctx, store.LockRow(lock))
}

// Live implements limit.Locks.
func (l locks) Live(ctx context.Context) ([]limit.Lock, error) {
	rows, err := l.Locks.Live(ctx)
	out := make([]limit.Lock, len(rows))
	for i, row := range rows {
		out[i] = limit.Lock(row)
	}
	return out, err
}

// derive makes a key for one purpose of the secret, so that no two purposes
// share one.
func derive(secret, purpose string) ([]byte, error) {
	key, err := hkdf.Key(sha256.New, []byte(secret), nil, purpose, sha256.Size)
	if err != nil {
		return nil, fmt.Errorf("derive the key for %s: %w", purpose, err)
	}
	return key, nil
}
