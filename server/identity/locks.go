package identity

import (
	"context"
	"log/slog"
	"net/http"

	"vitals/server/web"
)

type liftInput struct {
	Policy string `path:"policy" maxLength:"32"`
	IP     string `path:"ip" maxLength:"64" doc:"the client's address"`
}

// liftLock ends a lock before its time; the log says who did it.
func (s *Service) liftLock(ctx context.Context, in *liftInput) (*struct{}, error) {
	p, ok := web.PrincipalFrom(ctx)
	if !ok {
		return nil, invalidToken(ctx)
	}
	was, err := s.gate.Lift(ctx, in.Policy, in.IP)
	if err != nil {
		return nil, err
	}
	if !was {
		return nil, web.Fail(http.StatusNotFound, "not_found", "There is no such lock.")
	}
	s.audit(ctx, slog.LevelWarn, eventLockLifted, slog.Int64("by", p.UserID),
		slog.String("policy", in.Policy), slog.String("ip", in.IP))
	return nil, nil
}
