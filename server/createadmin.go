package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"

	"vitals/server/config"
	"vitals/server/identity"
	"vitals/server/identity/password"
	"vitals/server/store"
	"vitals/server/telemetry"
)

// CreateAdmin adds an admin to the configured database, which it brings to this
// program's schema, and gives the user's id. The password must be one that the API
// would take. log, which may be nil, gets the security log's line.
func CreateAdmin(ctx context.Context, cfg *config.Config, log io.Writer, a identity.NewAdmin) (id int64, err error) {
	if err := a.Check(password.NewPolicy(cfg.Passwords.MinLength)); err != nil {
		return 0, err
	}
	if log == nil {
		log = io.Discard
	}
	hasher, err := password.NewHasher(hashCost(cfg), password.Limits{
		Concurrency: 1, Queue: 1, Wait: cfg.Hash.QueueTimeout,
	}, nil)
	if err != nil {
		return 0, fmt.Errorf("set up password hashing: %w", err)
	}
	db, err := store.Open(ctx, cfg, nil, nil)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if err := db.Migrate(ctx); err != nil {
		return 0, err
	}
	root := slog.New(telemetry.NewHandler(log, telemetry.LogOptions{Level: slog.LevelInfo, Console: cfg.Log.Format == "console", NoColor: true}))
	return identity.CreateAdmin(ctx, db, hasher.Hash, telemetry.Named(root, telemetry.SecurityLogger), a)
}
