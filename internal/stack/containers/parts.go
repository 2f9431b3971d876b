package containers

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/moby/moby/client"
	tc "github.com/testcontainers/testcontainers-go"
	"github.com/testcontainers/testcontainers-go/network"
	"github.com/testcontainers/testcontainers-go/wait"

	"vitals/internal/observe"
	"vitals/internal/stack"
	"vitals/internal/stack/local"
)

// parts are the containers while they are being started.
type parts struct {
	c       Starter
	engine  *client.Client
	nw      *tc.DockerNetwork
	s       *stack.Stack
	gateway string
	key     string
	db      *Postgres
	kv      *Redis
	suffix  string         // of the tag of the API's image: this start's alone
	boxes   map[string]box // by role
	mu      sync.Mutex
	frozen  map[string]bool // roles
	apis    []box
	meters  []observe.Meter // of the API replicas
}

// add registers a container that runs: its removal, its image, its role.
func (p *parts) add(ctx context.Context, role string, b box, began time.Time) error {
	p.s.OnClose(func(ctx context.Context) error { return b.Terminate(ctx) })
	in, err := b.Inspect(ctx)
	if err != nil {
		return fmt.Errorf("inspect %s: %w", role, err)
	}
	name := strings.TrimSuffix(in.Config.Image, p.suffix)
	p.s.Images[role] = name + " " + in.Image
	if role == "api" && p.c.Images.API != "" {
		p.s.Labels = map[string]string{}
		maps.Copy(p.s.Labels, in.Config.Labels)
	}
	p.boxes[role] = b
	if p.c.Talk != nil {
		fmt.Fprintf(p.c.Talk, "%s started from %s in %.1f s\n", role, name, time.Since(began).Seconds())
	}
	return nil
}

// inside puts a container on the stack's network under its role.
func (p *parts) inside(role string) tc.ContainerCustomizer {
	return network.WithNetwork([]string{role}, p.nw)
}

func (p *parts) postgres(ctx context.Context) error {
	began := time.Now()
	db, err := newPostgres(ctx, p.engine, p.c.Images.Postgres, p.inside("postgres"))
	if p.db = db; db == nil {
		return err
	}
	if aerr := p.add(ctx, "postgres", db.box, began); err == nil {
		err = aerr
	}
	return err
}

func (p *parts) redis(ctx context.Context) error {
	began := time.Now()
	kv, err := newRedis(ctx, p.engine, p.c.Images.Redis, p.inside("redis"))
	if p.kv = kv; kv == nil {
		return err
	}
	if aerr := p.add(ctx, "redis", kv.box, began); err == nil {
		err = aerr
	}
	return err
}

// configure seeds the accounts and reads what will be in force.
func (p *parts) configure(ctx context.Context) (err error) {
	p.key = rand.Text() + rand.Text()
	began := time.Now()
	if p.s.Accounts, err = p.seed(ctx, rand.Text()); err != nil {
		return err
	}
	if p.c.Talk != nil {
		fmt.Fprintf(p.c.Talk, "seeded %d accounts in %.1f s\n", p.c.Accounts, time.Since(began).Seconds())
	}
	p.s.Settings, p.s.Deviations, err = stack.Describe(p.environment("postgres:5432", "redis:6379"))
	return err
}

// seed makes the accounts with the very version that will serve them: the binary
// through the published ports, or the image beside its stores.
func (p *parts) seed(ctx context.Context, password string) ([]stack.Account, error) {
	if p.c.Images.API == "" {
		return local.Seed(ctx, p.c.Binary, p.environment(p.db.At, p.kv.At), p.c.Accounts, password)
	}
	env := p.environment("postgres:5432", "redis:6379")
	env["VITALS_SEED_PASSWORD"] = password
	opts := append(p.confined(env), p.inside("seed"), tc.WithCmd("serve", "seed", "--accounts", strconv.Itoa(p.c.Accounts)),
		tc.WithWaitStrategy(wait.ForExit().WithExitTimeout(10*time.Minute)))
	b, err := run(ctx, p.engine, "the API's seeding", p.c.Images.API, nil, "", opts...)
	if err != nil {
		return nil, err
	}
	state, err := b.State(ctx)
	if err == nil && state.ExitCode != 0 {
		err = fmt.Errorf("it ended with code %d: %s", state.ExitCode, lastLog(ctx, b))
	}
	if err = errors.Join(err, b.Terminate(ctx)); err != nil {
		return nil, fmt.Errorf("seed %d accounts with %s (its entry point must be the vitals program): %w", p.c.Accounts, p.c.Images.API, err)
	}
	return local.SeededAccounts(p.c.Accounts, password), nil
}

// await is stack.Await with what helps people whose Docker is elsewhere.
func await(ctx context.Context, what string, f func(context.Context) error) error {
	err := stack.Await(ctx, what, nil, f)
	if err != nil {
		return fmt.Errorf("%w%s", err, hint(err))
	}
	return nil
}
