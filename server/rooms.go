package server

import (
	"context"
	"crypto/hkdf"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"

	"github.com/danielgtaylor/huma/v2"
	"golang.org/x/sync/errgroup"

	"vitals/server/clinic"
	"vitals/server/fault"
	"vitals/server/identity"
	"vitals/server/identity/mail"
	"vitals/server/identity/password"
	"vitals/server/identity/token"
	"vitals/server/limit"
	"vitals/server/store"
	"vitals/server/telemetry"
)

// rooms are the parts behind the chain, open and at work.
type rooms struct {
	deps   Deps
	db     *store.SQL
	gate   *limit.Gate
	work   *errgroup.Group // what runs beside the requests
	enough context.CancelFunc
}

// prepare does once what several workers must not do at the same time: bring the
// database to the newest migration.
func prepare(ctx context.Context, p *process) error {
	db, err := store.Open(ctx, p.cfg, nil, nil)
	if err != nil {
		return err
	}
	return errors.Join(db.Migrate(ctx), db.Close())
}

// openRooms opens what the configuration names and maps it to each room's own
// options. migrate is false in a worker, whose supervisor has done it.
func openRooms(ctx context.Context, p *process, migrate bool) (_ *rooms, err error) {
	working, enough := context.WithCancel(context.WithoutCancel(ctx))
	r := &rooms{work: new(errgroup.Group), enough: enough}
	defer func() {
		if err != nil {
			err = errors.Join(err, r.close())
		}
	}()
	if r.db, err = store.Open(ctx, p.cfg, p.root, p.registry); err != nil {
		return nil, err
	}
	if migrate {
		if err := r.db.Migrate(ctx); err != nil {
			return nil, err
		}
	}
	options, err := limitOptions(p.cfg)
	if err != nil {
		return nil, err
	}
	r.gate, err = limit.Open(ctx, options, locks{store.Locks{DB: r.db}}, p.registry, telemetry.Named(p.root, telemetry.SecurityLogger))
	if err != nil {
		return nil, err
	}
	r.run(working, p.log, "limiter", r.gate.Run)

	who, err := openIdentity(p, r.db, r.gate)
	if err != nil {
		return nil, err
	}
	r.run(working, p.log, "outbox", who.Run)
	proxies := limit.Proxies{Trusted: p.cfg.Proxy.Trusted, Header: p.cfg.Proxy.Header}
	r.deps = Deps{
		Log: p.root, Registry: p.registry, Version: p.o.Version, Trace: p.sentry.Trace,
		ClientIP:     proxies.ClientIP,
		Authenticate: who.Authenticate, CheckSession: who.CheckSession,
		Gate: r.gate, OwnPolicy: who.OwnPolicy(), Early: who.Early(),
		CheckDatabase: r.db.Ready,
		Register: []func(huma.API){
			func(api huma.API) { identity.Register(api, who) },
			func(api huma.API) { clinic.Register(api, clinic.Deps{DB: r.db}) },
		},
	}
	if fault.Is(fault.ReadyThroughPool) {
		r.deps.CheckDatabase = throughPool(r.db)
	}
	return r, nil
}

// run starts work that lasts as long as the rooms. Its early end harms what comes
// later and no request now, so it is said and the service goes on.
func (r *rooms) run(ctx context.Context, log *slog.Logger, name string, work func(context.Context) error) {
	r.work.Go(func() error {
		err := work(ctx)
		if ctx.Err() != nil {
			return nil // its end was asked for
		}
		log.Log(ctx, telemetry.LevelCritical, "work beside the requests has ended", "work", name, "error", err)
		return err
	})
}

// openIdentity builds the room that knows users.
func openIdentity(p *process, db store.DB, gate *limit.Gate) (*identity.Service, error) {
	c := p.cfg
	keys, err := token.NewKeyring(c.Core.SecretKey.Reveal(), c.Core.SecretKeyPrevious.Reveal())
	if err != nil {
		return nil, fmt.Errorf("derive keys: %w", err)
	}
	hasher, err := password.NewHasher(hashCost(c), password.Limits{
		Concurrency: c.Hash.Concurrency, Queue: c.Hash.Queue, Wait: c.Hash.QueueTimeout,
	}, p.registry)
	if err != nil {
		return nil, fmt.Errorf("set up password hashing: %w", err)
	}
	post, err := mail.Open(c.Mail.Sink.Reveal(), telemetry.Named(p.root, "app.mail"))
	if err != nil {
		return nil, fmt.Errorf("open the mail sink: %w", err)
	}
	return identity.New(identityOptions(c), identity.Deps{
		DB: db, Keys: keys, Hasher: hasher, Passwords: password.NewPolicy(c.Passwords.MinLength),
		Gate: gate, Mail: post, HasPatient: hasPatient,
		Metrics: p.registry, Log: telemetry.Named(p.root, telemetry.SecurityLogger),
	})
}

// close ends the work, then what it worked on.
func (r *rooms) close() error {
	r.enough()
	err := r.work.Wait()
	if r.gate != nil {
		err = errors.Join(err, r.gate.Close())
	}
	if r.db != nil {
		err = errors.Join(err, r.db.Close())
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
