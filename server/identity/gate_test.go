package identity_test

import (
	"log/slog"
	"testing"
	"time"

	"vitals/server/limit"
)

// roomy are limits that no test meets by accident.
func roomy() limit.Quotas {
	q := limit.Published()
	for _, x := range []*limit.Quota{&q.Login, &q.TwoFactor, &q.PasswordReset, &q.PasswordChange, &q.API} {
		x.Limit = 1000
	}
	return q
}

// gate is the real one, in memory.
func gate(t *testing.T, q limit.Quotas, log *slog.Logger) *limit.Gate {
	t.Helper()
	g, err := limit.Open(t.Context(), limit.Options{
		Quotas: q, SlotWait: 10 * time.Second, Secret: []byte(secretKey),
		Throttle: limit.Throttle{Failures: 20, Window: 24 * time.Hour},
	}, nil, nil, log)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = g.Close() })
	return g
}

// remaining is what an answer says is left of its policy's limit.
func (a answer) remaining() string { return a.Header.Get("X-RateLimit-Remaining") }

// settled is the answer without what depends on the second it was given in.
func (a answer) settled() answer {
	a.Header = a.Header.Clone()
	a.Header.Del("X-RateLimit-Reset")
	return a
}
