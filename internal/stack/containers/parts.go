package containers

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/netip"
	"sync"
	"time"

	"github.com/moby/moby/api/types/container"
	mobynet "github.com/moby/moby/api/types/network"
	"github.com/moby/moby/client"
	tc "github.com/testcontainers/testcontainers-go"
	"github.com/testcontainers/testcontainers-go/network"

	"vitals/internal/observe"
	"vitals/internal/stack"
)

// parts are the containers while they are being started.
type parts struct {
	c              Starter
	engine         *client.Client
	nw             *tc.DockerNetwork
	s              *stack.Stack
	gateway        string
	password, key  string
	dbHost, kvHost string            // as the host reaches them
	ids            map[string]string // role → container
	mu             sync.Mutex
	frozen         map[string]bool // roles
	apis           []*tc.DockerContainer
	meters         []observe.Meter // of the API replicas
}

// start runs one container on the stack's network with its ports published on
// loopback, and registers its removal.
func (p *parts) start(ctx context.Context, role, img string, ports []string, opts ...tc.ContainerCustomizer) (*tc.DockerContainer, error) {
	host, err := freePorts(len(ports))
	if err != nil {
		return nil, err
	}
	opts = append(opts,
		network.WithNetwork([]string{role}, p.nw),
		tc.WithLabels(labels()),
		tc.WithExposedPorts(ports...),
		tc.WithHostConfigModifier(func(h *container.HostConfig) {
			h.PortBindings = mobynet.PortMap{}
			for i, port := range ports {
				h.PortBindings[mobynet.MustParsePort(port)] = []mobynet.PortBinding{{HostIP: netip.AddrFrom4([4]byte{127, 0, 0, 1}), HostPort: host[i]}}
			}
		}))
	began := time.Now()
	box, err := tc.Run(ctx, img, opts...)
	if box != nil { // a container that failed to start is there all the same
		p.s.OnClose(func(ctx context.Context) error { return box.Terminate(ctx) })
	}
	if err != nil {
		return nil, fmt.Errorf("start %s (%s): %w%s", role, img, err, hint(err))
	}
	in, err := box.Inspect(ctx)
	if err != nil {
		return nil, fmt.Errorf("inspect %s: %w", role, err)
	}
	p.s.Images[role] = img + " " + in.Image
	p.ids[role] = box.GetContainerID()
	if p.c.Talk != nil {
		fmt.Fprintf(p.c.Talk, "%s started from %s in %.1f s\n", role, img, time.Since(began).Seconds())
	}
	return box, nil
}

// address is where the host reaches a published port.
func address(ctx context.Context, box *tc.DockerContainer, port string) (string, error) {
	mapped, err := box.MappedPort(ctx, port)
	if err != nil {
		return "", fmt.Errorf("find the published port of %s: %w", port, err)
	}
	return fmt.Sprintf("127.0.0.1:%d", mapped.Num()), nil
}

func (p *parts) postgres(ctx context.Context) (err error) {
	img := image(ctx, p.engine, p.c.Images.Postgres, DefaultPostgres, standInPostgres)
	// fsync off, as testcontainers' own module has it: the data is thrown away and
	// survives a killed container all the same, and a shared disk's moods would
	// otherwise stand in the report as the API's. The report says so.
	box, err := p.start(ctx, "postgres", img, []string{dbPort}, tc.WithCmd("postgres", "-c", "fsync=off"), tc.WithEnv(map[string]string{
		"POSTGRES_USER": dbUser, "POSTGRES_PASSWORD": p.password, "POSTGRES_DB": database,
	}))
	if err != nil {
		return err
	}
	if p.dbHost, err = address(ctx, box, dbPort); err != nil {
		return err
	}
	return patiently(ctx, "Postgres", func(ctx context.Context) error { return p.pingPostgres(ctx) })
}

func (p *parts) redis(ctx context.Context) (err error) {
	img := image(ctx, p.engine, p.c.Images.Redis, DefaultRedis, standInRedis)
	// noeviction and a log on disk: a lock that can be evicted or forgotten is none.
	box, err := p.start(ctx, "redis", img, []string{kvPort},
		tc.WithCmd("--maxmemory-policy", "noeviction", "--appendonly", "yes", "--save", ""))
	if err != nil {
		return err
	}
	if p.kvHost, err = address(ctx, box, kvPort); err != nil {
		return err
	}
	return patiently(ctx, "Redis", func(ctx context.Context) error { return p.pingRedis(ctx) })
}

// configure seeds the accounts through the published port and reads what will
// be in force, with the same binary that the API container runs.
func (p *parts) configure(ctx context.Context) (err error) {
	p.key = rand.Text() + rand.Text()
	host := p.environment(p.dbHost, p.kvHost)
	password := rand.Text()
	began := time.Now()
	if err := stack.Seed(ctx, p.c.Binary, stack.Flat(host), p.c.Accounts, password); err != nil {
		return err
	}
	if p.c.Talk != nil {
		fmt.Fprintf(p.c.Talk, "seeded %d accounts in %.1f s\n", p.c.Accounts, time.Since(began).Seconds())
	}
	p.s.Accounts = stack.Seeded(p.c.Accounts, password)
	p.s.Settings, p.s.Deviations, err = stack.Describe(p.environment("postgres:5432", "redis:6379"))
	return err
}

// patiently repeats f until it succeeds, for at most a minute.
func patiently(ctx context.Context, what string, f func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for {
		once, stop := context.WithTimeout(ctx, 2*time.Second)
		err := f(once)
		stop()
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s does not answer: %w%s", what, err, hint(ctx.Err()))
		case <-time.After(50 * time.Millisecond):
		}
	}
}
