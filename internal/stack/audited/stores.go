package audited

import (
	"context"
	"fmt"
	"path/filepath"

	"vitals/internal/audit"
	"vitals/internal/stack"
	"vitals/internal/stack/containers"
	"vitals/internal/stack/local"
)

// postgres gives a launch a database: in a cluster of its own, or, in containers
// that nobody is to break, in the one that all share.
func (o *Owner) postgres(ctx context.Context, a *launched, api *audit.API, breaks bool) error {
	var at stack.Postgres
	name := containers.Database
	switch {
	case o.o.Containers == nil:
		db, err := o.cluster(ctx, a)
		if err != nil {
			return err
		}
		a.closers, a.parts["postgres"], at = append(a.closers, db.Close), db, db.Postgres
	case breaks:
		stores, err := o.docker(ctx)
		if err != nil {
			return err
		}
		db, err := stores.Postgres(ctx)
		if err != nil {
			return err
		}
		a.closers, a.parts["postgres"], at = append(a.closers, db.Close), db, db.Postgres
	default:
		db, err := o.common(ctx)
		if err != nil {
			return err
		}
		name = fmt.Sprintf("%s_%d", containers.Database, a.n)
		if _, err := db.Query(ctx, containers.Database, "CREATE DATABASE "+name); err != nil {
			return fmt.Errorf("make a database: %w", err)
		}
		a.closers = append(a.closers, func(ctx context.Context) error {
			_, err := db.Query(ctx, containers.Database, "DROP DATABASE "+name+" WITH (FORCE)")
			return err
		})
		at = db.Postgres
	}
	a.env["DATABASE_URL"] = at.URL(name)
	api.SQL = func(ctx context.Context, q string, args ...any) ([][]string, error) {
		return at.Query(ctx, name, q, args...)
	}
	return nil
}

// cluster starts a copy of the template for a launch.
func (o *Owner) cluster(ctx context.Context, a *launched) (*local.Postgres, error) {
	original, err := o.original(ctx)
	if err != nil {
		return nil, err
	}
	return original.Clone(ctx, a.dir+"-pg") // beside: Postgres does not enter the launch's folder
}

// original is a cluster with an empty database that never runs again, made at the
// first need.
func (o *Owner) original(ctx context.Context) (*local.Postgres, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.template != nil {
		return o.template, nil
	}
	db, err := local.NewPostgres(ctx, filepath.Join(o.folder.Path, "template"), false)
	if err != nil {
		return nil, err
	}
	if _, err = db.Query(ctx, "postgres", "CREATE DATABASE "+containers.Database); err == nil {
		err = db.Act(ctx, stack.Stop)
	}
	if err != nil {
		_ = db.Close(context.WithoutCancel(ctx)) // the first error is the one to report
		return nil, fmt.Errorf("make a database: %w", err)
	}
	o.template = db
	return db, nil
}

// common is the cluster in a container that launches share: a cluster takes
// seconds to make, a database a moment.
func (o *Owner) common(ctx context.Context) (*containers.Postgres, error) {
	stores, err := o.docker(ctx)
	if err != nil {
		return nil, err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.shared == nil {
		if o.shared, err = stores.Postgres(ctx); err != nil {
			o.shared = nil
			return nil, err
		}
	}
	return o.shared, nil
}

// docker reaches Docker at the first need.
func (o *Owner) docker(ctx context.Context) (_ *containers.Stores, err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.stores == nil {
		o.stores, err = containers.NewStores(ctx, *o.o.Containers)
	}
	return o.stores, err
}

// redis gives a launch a Redis of its own.
func (o *Owner) redis(ctx context.Context, a *launched, api *audit.API) error {
	var at stack.Redis
	if o.o.Containers == nil {
		kv, err := local.NewRedis(ctx, a.dir)
		if err != nil {
			return err
		}
		a.closers, a.parts["redis"], at = append(a.closers, kv.Close), kv, kv.Redis
	} else {
		stores, err := o.docker(ctx)
		if err != nil {
			return err
		}
		kv, err := stores.Redis(ctx)
		if err != nil {
			return err
		}
		a.closers, a.parts["redis"], at = append(a.closers, kv.Close), kv, kv.Redis
	}
	a.env["REDIS_URL"] = at.URL()
	api.Redis = at.Do
	return nil
}
