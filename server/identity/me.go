package identity

import (
	"context"
	"errors"
	"fmt"

	"vitals/server/store"
	"vitals/server/web"
)

type userOutput struct {
	Body User
}

func (s *Service) me(ctx context.Context, _ *struct{}) (*userOutput, error) {
	a, err := s.self(ctx)
	if err != nil {
		return nil, err
	}
	return &userOutput{Body: s.user(a)}, nil
}

// self reads the signed-in user's own row.
func (s *Service) self(ctx context.Context) (a account, err error) {
	p, ok := web.PrincipalFrom(ctx)
	if !ok {
		return account{}, invalidToken(ctx)
	}
	err = s.db.Read(ctx, func(ctx context.Context, q store.Querier) (err error) {
		a, err = accountByID(ctx, q, p.UserID)
		return err
	})
	if errors.Is(err, errNoRow) || err == nil && !a.active {
		return account{}, invalidToken(ctx)
	}
	if err != nil {
		return account{}, problem(fmt.Errorf("read own account: %w", err))
	}
	return a, nil
}
