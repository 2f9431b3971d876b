package containers

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"time"

	"github.com/moby/moby/api/types/container"
	mobynet "github.com/moby/moby/api/types/network"
	"github.com/moby/moby/client"
	tc "github.com/testcontainers/testcontainers-go"
	"github.com/testcontainers/testcontainers-go/network"

	"vitals/stack"
)

// parts are the containers while they are being started.
type parts struct {
	c              Starter
	engine         *client.Client
	nw             *tc.DockerNetwork
	s              *stack.Stack
	gateway        string
	password, key  string
	dbHost, kvHost string // as the host reaches them
}

// start runs one container on the stack's network with its ports published on
// loopback, and registers its removal.
func (p *parts) start(ctx context.Context, role, img string, ports []string, opts ...tc.ContainerCustomizer) (*tc.DockerContainer, error) {
	opts = append(opts,
		network.WithNetwork([]string{role}, p.nw),
		tc.WithLabels(labels()),
		tc.WithExposedPorts(ports...),
		tc.WithHostConfigModifier(func(h *container.HostConfig) {
			h.PortBindings = mobynet.PortMap{}
			for _, port := range ports {
				h.PortBindings[mobynet.MustParsePort(port)] = []mobynet.PortBinding{{HostIP: netip.AddrFrom4([4]byte{127, 0, 0, 1})}}
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
	box, err := p.start(ctx, "postgres", img, []string{dbPort}, tc.WithEnv(map[string]string{
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

func (p *parts) api(ctx context.Context) error {
	opts := []tc.ContainerCustomizer{
		tc.WithEnv(p.environment("postgres:5432", "redis:6379")),
		tc.WithConfigModifier(func(c *container.Config) { c.User = "65532:65532" }),
		tc.WithHostConfigModifier(func(h *container.HostConfig) {
			h.ReadonlyRootfs, h.CapDrop = true, []string{"ALL"}
			h.Tmpfs = map[string]string{"/tmp": "rw,noexec,nosuid,size=16m"}
		}),
	}
	img := p.c.Images.API
	if img == "" {
		archive, tag, err := apiContext(p.c.Binary)
		if err != nil {
			return err
		}
		img = "vitals/api:" + tag
		opts = append(opts, tc.WithDockerfile(tc.FromDockerfile{ContextArchive: archive, Repo: "vitals/api", Tag: tag}))
	}
	box, err := p.start(ctx, "api", img, []string{apiPort, admPort}, opts...)
	if err != nil {
		return err
	}
	p.s.OnClose(func(ctx context.Context) error { return saveLog(ctx, box, p.c.LogFile) })
	p.s.Log = p.c.LogFile
	addr, err := address(ctx, box, apiPort)
	if err != nil {
		return err
	}
	admin, err := address(ctx, box, admPort)
	if err != nil {
		return err
	}
	p.s.URL = &url.URL{Scheme: "http", Host: addr}
	p.s.Metrics = &url.URL{Scheme: "http", Host: admin, Path: "/metrics"}
	p.s.Meter = meter(p.engine, box.GetContainerID())
	p.s.Source, p.s.Forward = stack.Benchmark, true
	p.s.Info["addresses"] = "published ports hide client addresses, so this driver is a declared trusted proxy (TRUSTED_PROXIES=" + p.gateway + "/32) and each user's and intruder's address travels in X-Forwarded-For"
	p.s.Info["database"], p.s.Info["limiter"] = "Postgres in a container", "Redis in a container"
	p.s.Evidence = p.evidence
	if err := patiently(ctx, "the API", func(ctx context.Context) error { return ready(ctx, p.s.URL) }); err != nil {
		return fmt.Errorf("%w; its last words:\n%s", err, lastLog(ctx, box))
	}
	return nil
}

// ready asks the API's own readiness endpoint.
func ready(ctx context.Context, base *url.URL) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, base.JoinPath("ready").String(), nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("/ready says %d", resp.StatusCode)
	}
	return nil
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

// saveLog keeps the API's log, so that the request IDs in a report can be found.
func saveLog(ctx context.Context, box *tc.DockerContainer, file string) error {
	if file == "" {
		return nil
	}
	r, err := box.Logs(ctx)
	if err != nil {
		return fmt.Errorf("read the API's log: %w", err)
	}
	defer r.Close()
	f, err := os.Create(file)
	if err != nil {
		return fmt.Errorf("save the API's log: %w", err)
	}
	if _, err := io.Copy(f, r); err != nil {
		_ = f.Close()
		return fmt.Errorf("save the API's log: %w", err)
	}
	return f.Close()
}

func lastLog(ctx context.Context, box *tc.DockerContainer) string {
	r, err := box.Logs(context.WithoutCancel(ctx))
	if err != nil {
		return ""
	}
	defer r.Close()
	b, _ := io.ReadAll(io.LimitReader(r, 1<<20))
	return string(b[max(0, len(b)-1500):])
}
