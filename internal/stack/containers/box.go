package containers

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/moby/moby/api/types/container"
	mobynet "github.com/moby/moby/api/types/network"
	"github.com/moby/moby/client"
	tc "github.com/testcontainers/testcontainers-go"

	"vitals/internal/stack"
	"vitals/internal/stack/local"
)

// box is one container of ours with its ports published on loopback. They stay
// the same over restarts, because they were chosen and not left to the engine.
type box struct {
	*tc.DockerContainer
	engine *client.Client
}

// run starts one container. On an error nothing is left of it. The first port is
// published on the gateway as well, unless that is "". A port that was free when it was
// chosen may be somebody's by the time the engine binds it: then others are chosen.
func run(ctx context.Context, engine *client.Client, role, img string, ports []string, gateway string, opts ...tc.ContainerCustomizer) (b box, err error) {
	for range 3 {
		if b, err = runOnce(ctx, engine, role, img, ports, gateway, slices.Clone(opts)...); err == nil || !strings.Contains(err.Error(), "address already in use") && !strings.Contains(err.Error(), "port is already allocated") {
			break
		}
	}
	return b, err
}

func runOnce(ctx context.Context, engine *client.Client, role, img string, ports []string, gateway string, opts ...tc.ContainerCustomizer) (box, error) {
	host, err := local.FreePorts(len(ports))
	if err != nil {
		return box{}, err
	}
	mark := rand.Text()
	opts = append(opts,
		tc.WithLabels(labels()),
		tc.WithLabels(map[string]string{labelBox: mark}),
		tc.WithExposedPorts(ports...),
		tc.WithHostConfigModifier(func(h *container.HostConfig) {
			h.PortBindings = mobynet.PortMap{}
			for i, port := range ports {
				h.PortBindings[mobynet.MustParsePort(port)] = []mobynet.PortBinding{{HostIP: netip.AddrFrom4([4]byte{127, 0, 0, 1}), HostPort: host[i]}}
			}
			if at, err := netip.ParseAddr(gateway); err == nil {
				first := mobynet.MustParsePort(ports[0])
				h.PortBindings[first] = append(h.PortBindings[first], mobynet.PortBinding{HostIP: at, HostPort: host[0]})
			}
		}))
	c, err := tc.Run(ctx, img, opts...)
	if err != nil {
		err = fmt.Errorf("start %s (%s): %w%s", role, img, err, hint(err))
		switch {
		case c != nil: // a container that failed to start is there all the same
			err = errors.Join(err, c.Terminate(context.WithoutCancel(ctx)))
		case ctx.Err() != nil: // as may be one whose making was interrupted
			err = errors.Join(err, removeMade(engine, mark))
		}
		return box{}, err
	}
	return box{c, engine}, nil
}

// address is where the host reaches a published port.
func (b box) address(ctx context.Context, port string) (string, error) {
	mapped, err := b.MappedPort(ctx, port)
	if err != nil {
		return "", fmt.Errorf("find the published port of %s: %w", port, err)
	}
	return fmt.Sprintf("127.0.0.1:%d", mapped.Num()), nil
}

// near is where the host reaches a port that answers at addr over the network's
// gateway, when it was published there: the kernel forwards what goes to it. What goes
// to loopback passes through a process of Docker's, which takes as much of a processor
// as the API does.
func near(ctx context.Context, addr, gateway string) string {
	_, port, _ := strings.Cut(addr, ":")
	direct := net.JoinHostPort(gateway, port)
	if gateway == "" {
		return addr
	}
	conn, err := (&net.Dialer{Timeout: time.Second}).DialContext(ctx, "tcp", direct)
	if err != nil {
		return addr // a firewall: it goes the longer way
	}
	_ = conn.Close() // nothing was sent
	return direct
}

// act does an action to the container.
func (b box) act(ctx context.Context, a stack.Action) (err error) {
	id := b.GetContainerID()
	switch a {
	case stack.Stop:
		_, err = b.engine.ContainerStop(ctx, id, client.ContainerStopOptions{})
	case stack.Start:
		_, err = b.engine.ContainerStart(ctx, id, client.ContainerStartOptions{})
	case stack.Pause:
		_, err = b.engine.ContainerPause(ctx, id, client.ContainerPauseOptions{})
	case stack.Unpause:
		_, err = b.engine.ContainerUnpause(ctx, id, client.ContainerUnpauseOptions{})
	case stack.Kill:
		_, err = b.engine.ContainerKill(ctx, id, client.ContainerKillOptions{Signal: "KILL"})
	default:
		err = fmt.Errorf("no action %q: want stop, start, pause, unpause or kill", a)
	}
	return err
}
