package containers

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"vitals/internal/stack"
)

// fault does an action to the container of a role.
func (p *parts) fault(ctx context.Context, role string, a stack.Action) error {
	b, ok := p.boxes[role]
	if !ok {
		return fmt.Errorf("no part %q in this stack: want one of %s", role, strings.Join(slices.Sorted(maps.Keys(p.boxes)), ", "))
	}
	if err := b.act(ctx, a); err != nil {
		return fmt.Errorf("%s %s: %w", a, role, err)
	}
	if a == stack.Pause || a == stack.Unpause {
		p.freeze(role, a == stack.Pause)
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
