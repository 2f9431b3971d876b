package containers

import (
	"context"
	"crypto/rand"
	"errors"

	"github.com/moby/moby/client"
	tc "github.com/testcontainers/testcontainers-go"

	"vitals/internal/stack"
)

// Postgres is a Postgres in a container of its own.
type Postgres struct {
	stack.Postgres
	box
}

// Redis is a Redis in a container of its own.
type Redis struct {
	stack.Redis
	box
}

// newPostgres starts one with an empty database and waits until it answers.
func newPostgres(ctx context.Context, engine *client.Client, want string, opts ...tc.ContainerCustomizer) (*Postgres, error) {
	p := &Postgres{Postgres: stack.Postgres{User: dbUser, Password: rand.Text()}}
	// fsync off, as testcontainers' own module has it: the data is thrown away and
	// survives a killed container all the same, and what a shared disk does at the
	// time would otherwise stand in the report as the API's. The report says so.
	opts = append(opts, tc.WithCmd("postgres", "-c", "fsync=off"), tc.WithEnv(map[string]string{
		"POSTGRES_USER": dbUser, "POSTGRES_PASSWORD": p.Password, "POSTGRES_DB": Database,
	}))
	var err error
	if p.box, err = run(ctx, engine, "postgres", image(ctx, engine, want, DefaultPostgres, standInPostgres), []string{dbPort}, "", opts...); err != nil {
		return nil, err
	}
	if p.At, err = p.address(ctx, dbPort); err == nil {
		err = p.answers(ctx)
	}
	return p, err
}

func (p *Postgres) answers(ctx context.Context) error {
	return await(ctx, "Postgres", func(ctx context.Context) error { return p.Ping(ctx, Database) })
}

// newRedis starts one and waits until it answers.
func newRedis(ctx context.Context, engine *client.Client, want string, opts ...tc.ContainerCustomizer) (*Redis, error) {
	opts = append(opts, tc.WithCmd(stack.RedisArguments()...))
	r := &Redis{}
	var err error
	if r.box, err = run(ctx, engine, "redis", image(ctx, engine, want, DefaultRedis, standInRedis), []string{kvPort}, "", opts...); err != nil {
		return nil, err
	}
	if r.At, err = r.address(ctx, kvPort); err == nil {
		err = await(ctx, "Redis", r.Ping)
	}
	return r, err
}

// Stores starts single stores for a system that runs elsewhere.
type Stores struct {
	Images Images
	engine *client.Client
}

// NewStores reaches Docker and removes what killed processes have left there.
func NewStores(ctx context.Context, images Images) (*Stores, error) {
	engine, err := dial(ctx)
	if err != nil {
		return nil, err
	}
	quiet()
	if err := sweep(ctx, engine); err != nil {
		return nil, errors.Join(err, engine.Close())
	}
	return &Stores{images, engine}, nil
}

// Close lets Docker go; stores are closed by whom they were started for.
func (s *Stores) Close(context.Context) error { return s.engine.Close() }

// Postgres starts one with the empty Database.
func (s *Stores) Postgres(ctx context.Context) (*Postgres, error) {
	p, err := newPostgres(ctx, s.engine, s.Images.Postgres)
	if err != nil && p != nil {
		err = errors.Join(err, p.Close(context.WithoutCancel(ctx)))
	}
	return p, err
}

// Act does something to it, and after a start waits until it answers.
func (p *Postgres) Act(ctx context.Context, a stack.Action) error {
	if err := p.act(ctx, a); err != nil || a != stack.Start {
		return err
	}
	return p.answers(ctx)
}

// Close removes it.
func (p *Postgres) Close(ctx context.Context) error { return p.Terminate(ctx) }

// Redis starts one.
func (s *Stores) Redis(ctx context.Context) (*Redis, error) {
	r, err := newRedis(ctx, s.engine, s.Images.Redis)
	if err != nil && r != nil {
		err = errors.Join(err, r.Close(context.WithoutCancel(ctx)))
	}
	return r, err
}

// Act does something to it, and after a start waits until it answers.
func (r *Redis) Act(ctx context.Context, a stack.Action) error {
	if err := r.act(ctx, a); err != nil || a != stack.Start {
		return err
	}
	return await(ctx, "Redis", r.Ping)
}

// Close removes it.
func (r *Redis) Close(ctx context.Context) error { return r.Terminate(ctx) }
