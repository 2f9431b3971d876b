package containers

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"slices"
	"strings"

	"github.com/moby/moby/client"

	"vitals/internal/stack"
)

// fault does an action to the container of a role. Ports survive a restart,
// because they were chosen and not left to the engine.
func (p *parts) fault(ctx context.Context, role string, a stack.Action) (err error) {
	id, ok := p.ids[role]
	if !ok {
		return fmt.Errorf("no part %q in this stack: want one of %s", role, strings.Join(slices.Sorted(maps.Keys(p.ids)), ", "))
	}
	switch a {
	case stack.Stop:
		_, err = p.engine.ContainerStop(ctx, id, client.ContainerStopOptions{})
	case stack.Start:
		_, err = p.engine.ContainerStart(ctx, id, client.ContainerStartOptions{})
	case stack.Pause:
		if _, err = p.engine.ContainerPause(ctx, id, client.ContainerPauseOptions{}); err == nil {
			p.freeze(role, true)
		}
	case stack.Unpause:
		if _, err = p.engine.ContainerUnpause(ctx, id, client.ContainerUnpauseOptions{}); err == nil {
			p.freeze(role, false)
		}
	case stack.Kill:
		_, err = p.engine.ContainerKill(ctx, id, client.ContainerKillOptions{Signal: "KILL"})
	default:
		return fmt.Errorf("no action %q: want stop, start, pause, unpause or kill", a)
	}
	if err != nil {
		return fmt.Errorf("%s %s: %w", a, role, err)
	}
	return nil
}

// freeze remembers which parts are frozen.
func (p *parts) freeze(role string, is bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.frozen[role] = is
}

// thaw lets every frozen part go on.
func (p *parts) thaw(ctx context.Context) error {
	p.mu.Lock()
	roles := slices.Sorted(maps.Keys(p.frozen))
	roles = slices.DeleteFunc(roles, func(role string) bool { return !p.frozen[role] })
	p.mu.Unlock()
	var errs []error
	for _, role := range roles {
		errs = append(errs, p.fault(ctx, role, stack.Unpause))
	}
	return errors.Join(errs...)
}

// freePorts are n ports of loopback that nobody listens on at this moment.
func freePorts(n int) ([]string, error) {
	out := make([]string, n)
	for i := range out {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, fmt.Errorf("find a free port: %w", err)
		}
		defer l.Close() // all are held until all are chosen
		_, out[i], _ = net.SplitHostPort(l.Addr().String())
	}
	return out, nil
}
