package server

import (
	"context"
	"errors"
	"fmt"

	"vitals/server/clinic"
	"vitals/server/config"
	"vitals/server/identity"
	"vitals/server/identity/password"
	"vitals/server/store"
	"vitals/server/web"
)

// The staff that Seed adds beside the patients.
const (
	seedClinicians = 2
	seedAdmins     = 1
)

// Seed fills the configured database with n patients in one clinic, and staff,
// who all sign in with secret; it returns the accounts. The stored hash is one
// for all, each sign-in still costs a check of its own.
func Seed(ctx context.Context, cfg *config.Config, n int, secret string) (_ []identity.Account, err error) {
	if cfg.Core.Env == config.Production {
		return nil, errors.New("seed: refused in production, where accounts are people's")
	}
	hasher, err := password.NewHasher(hashCost(cfg), password.Limits{
		Concurrency: 1, Queue: 1, Wait: cfg.Hash.QueueTimeout,
	}, nil)
	if err != nil {
		return nil, fmt.Errorf("set up password hashing: %w", err)
	}
	db, err := store.Open(ctx, cfg, nil, nil)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if err := db.Migrate(ctx); err != nil {
		return nil, err
	}
	accounts, err := identity.Seed(ctx, db, n, secret, identity.SeedOptions{
		Hash: hasher.Hash, Clinicians: seedClinicians, Admins: seedAdmins,
	})
	if err != nil {
		return nil, fmt.Errorf("seed accounts: %w", err)
	}
	var patients []clinic.SeedPatient
	for _, a := range accounts {
		if a.Role == web.Patient {
			patients = append(patients, clinic.SeedPatient{ID: a.PatientID, ClinicID: a.ClinicID})
		}
	}
	if err := clinic.Seed(ctx, db, patients); err != nil {
		return nil, fmt.Errorf("seed clinic records: %w", err)
	}
	return accounts, nil
}
