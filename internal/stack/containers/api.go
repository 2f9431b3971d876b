package containers

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"time"

	"github.com/moby/moby/api/types/container"
	tc "github.com/testcontainers/testcontainers-go"

	"vitals/internal/observe"
	"vitals/internal/stack"
)

// api starts the replicas of the API, one after the other: the first migrates.
func (p *parts) api(ctx context.Context) error {
	base := p.confined(p.environment("postgres:5432", "redis:6379"))
	img, build, err := p.apiImage()
	if err != nil {
		return err
	}
	for n := range max(1, p.c.Replicas) {
		role, opts := "api", base
		if n > 0 {
			role = fmt.Sprintf("api-%d", n+1)
		} else {
			opts = append(build, base...)
		}
		if err := p.replica(ctx, role, img, opts); err != nil {
			return err
		}
	}
	p.s.URL = p.s.Replicas[0]
	p.s.Source, p.s.Forward = stack.Benchmark, true
	p.s.Info["addresses"] = "published ports hide client addresses, so this driver is a declared trusted proxy (TRUSTED_PROXIES=" + p.gateway + "/32) and each user's and intruder's address travels in X-Forwarded-For"
	p.s.Info["database"], p.s.Info["limiter"] = "Postgres in a container, fsync off", "Redis in a container"
	p.s.Info["replicas"] = fmt.Sprint(len(p.s.Replicas))
	p.s.Meter = observe.Sum(p.meters...)
	if limit := p.c.CPUs * float64(len(p.s.Replicas)); limit > 0 {
		p.s.Cores = min(p.s.Cores, limit)
		p.s.Info["processors"] = fmt.Sprintf("each API process may use %g", p.c.CPUs)
	}
	behind, err := stack.NewBehind(p.db.Postgres, Database, p.kv.Redis)
	if err != nil {
		return err
	}
	p.s.OnClose(behind.Close)
	p.s.Behind = behind.Read
	p.s.Evidence, p.s.Fault, p.s.ReadLog = p.evidence, p.fault, p.logs
	return nil
}

// confined is how the API's image is run: as nobody in particular, with a
// read-only root and no capabilities.
func (p *parts) confined(env map[string]string) []tc.ContainerCustomizer {
	return []tc.ContainerCustomizer{
		tc.WithEnv(env),
		tc.WithConfigModifier(func(c *container.Config) { c.User = p.user() }),
		tc.WithHostConfigModifier(func(h *container.HostConfig) {
			h.ReadonlyRootfs, h.CapDrop = true, []string{"ALL"}
			h.NanoCPUs = int64(p.c.CPUs * 1e9) // 0 = no limit
			h.Tmpfs = map[string]string{"/tmp": "rw,noexec,nosuid,size=16m"}
			if p.c.Mail != "" {
				h.Binds = append(h.Binds, p.c.Mail+":"+mailFolder)
			}
		}),
	}
}

// mailFolder is where the API's container finds the folder for its mails.
const mailFolder = "/mail"

// user is nobody in particular, or, where the API writes mails that we are to
// read, who we are. Root reads anybody's, so the API need not be root.
func (p *parts) user() string {
	if uid := os.Getuid(); p.c.Mail != "" && uid > 0 {
		return fmt.Sprintf("%d:%d", uid, os.Getgid())
	}
	return "65532:65532"
}

// logs is what the replicas have logged so far, one after the other.
func (p *parts) logs(ctx context.Context) ([]byte, error) {
	var all []byte
	for _, b := range p.apis {
		r, err := b.Logs(ctx)
		if err != nil {
			return nil, fmt.Errorf("read the API's log: %w", err)
		}
		text, err := io.ReadAll(r)
		if err = errors.Join(err, r.Close()); err != nil {
			return nil, fmt.Errorf("read the API's log: %w", err)
		}
		all = append(all, text...)
	}
	return all, nil
}

// apiImage is the image that was named, or how to build it from the binary. What is
// built has a tag of this start alone: the engine deletes a tag with the container
// that it was built for, and another start of the same program may still need its own.
func (p *parts) apiImage() (string, []tc.ContainerCustomizer, error) {
	if p.c.Images.API != "" {
		return p.c.Images.API, nil, nil
	}
	archive, tag, err := apiContext(p.c.Binary)
	if err != nil {
		return "", nil, err
	}
	build := tc.WithDockerfile(tc.FromDockerfile{ContextArchive: archive, Repo: ownImages, Tag: tag + p.suffix})
	return ownImages + ":" + tag + p.suffix, []tc.ContainerCustomizer{build}, nil
}

func (p *parts) replica(ctx context.Context, role, img string, opts []tc.ContainerCustomizer) error {
	began := time.Now()
	b, err := run(ctx, p.engine, role, img, []string{apiPort, admPort}, p.here(), append([]tc.ContainerCustomizer{p.inside(role)}, opts...)...)
	if err != nil {
		return err
	}
	if err := p.add(ctx, role, b, began); err != nil {
		return err
	}
	if role == "api" {
		p.s.OnClose(func(ctx context.Context) error { return saveLog(ctx, b, p.c.LogFile) })
		p.s.Log = p.c.LogFile
	}
	addr, err := b.address(ctx, apiPort)
	if err != nil {
		return err
	}
	admin, err := b.address(ctx, admPort)
	if err != nil {
		return err
	}
	p.apis = append(p.apis, b)
	p.meters = append(p.meters, meter(p.engine, b.GetContainerID()))
	base := &url.URL{Scheme: "http", Host: addr}
	p.s.Replicas = append(p.s.Replicas, base)
	p.s.Admins = append(p.s.Admins, &url.URL{Scheme: "http", Host: admin, Path: "/metrics"})
	p.s.Metrics = p.s.Admins[0]
	if err := await(ctx, "the API", func(ctx context.Context) error { return ready(ctx, base) }); err != nil {
		return fmt.Errorf("%w; the end of its log:\n%s", err, lastLog(ctx, b))
	}
	base.Host = near(ctx, addr, p.here())
	return nil
}

// here is the network's gateway when it is an address of this machine, as it is where
// Docker runs without a virtual machine; "" otherwise.
func (p *parts) here() string {
	addrs, _ := net.InterfaceAddrs() // none are known: it goes the longer way
	for _, a := range addrs {
		if n, ok := a.(*net.IPNet); ok && n.IP.String() == p.gateway {
			return p.gateway
		}
	}
	return ""
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

// saveLog keeps the API's log, so that the request IDs in a report can be found.
func saveLog(ctx context.Context, b box, file string) error {
	if file == "" {
		return nil
	}
	r, err := b.Logs(ctx)
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

func lastLog(ctx context.Context, b box) string {
	r, err := b.Logs(context.WithoutCancel(ctx))
	if err != nil {
		return ""
	}
	defer r.Close()
	text, _ := io.ReadAll(io.LimitReader(r, 1<<20)) // as much as can be had
	return string(text[max(0, len(text)-1500):])
}
