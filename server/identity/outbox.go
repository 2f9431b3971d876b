package identity

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"vitals/server/identity/mail"
	"vitals/server/store"
)

// The kinds of queued work. A client that asks for a reset or registers waits
// for one insert, the same for every email (ASVS 6.3.8); what depends on who
// exists is done here, when nobody is counting the time.
const (
	jobMail     = "mail"
	jobReset    = "password_reset"
	jobRegister = "register"
)

const (
	pollEvery  = 5 * time.Second // for work that another process left behind
	firstRetry = time.Minute     // doubles; also the lease of a running job
	lastRetry  = time.Hour
	jobLife    = 24 * time.Hour // then it is given up
	sweepEvery = time.Hour
)

// job is queued work: a kind uses the fields it needs. It is sealed in the
// database, for it holds addresses.
type job struct {
	To        string `json:"to"` // email
	Subject   string `json:"subject,omitempty"`
	Text      string `json:"text,omitempty"`
	FirstName string `json:"first_name,omitempty"`
	LastName  string `json:"last_name,omitempty"`
	Hash      string `json:"hash,omitempty"` // of a password
}

// claimed is a job that this process works on until its lease ends.
type claimed struct {
	job
	id       string
	kind     string
	attempts int // this one included
	created  int64
}

// enqueue adds a job; call wakeOutbox after the transaction.
func (s *Service) enqueue(ctx context.Context, q store.Querier, kind string, j job) error {
	id, err := uuid.NewV7()
	if err != nil {
		return fmt.Errorf("queue %s: %w", kind, err)
	}
	plain, err := json.Marshal(j)
	if err != nil {
		return fmt.Errorf("queue %s: %w", kind, err)
	}
	sealed, err := s.keys.Seal(plain, "job "+id.String())
	if err != nil {
		return fmt.Errorf("queue %s: %w", kind, err)
	}
	_, err = q.ExecContext(ctx, `INSERT INTO outbox (id, kind, body, due_at, created_at) VALUES ($1, $2, $3, $4, $4)`,
		id.String(), kind, sealed, s.millis())
	return wrap("queue "+kind, err)
}

// wakeOutbox lets Run look at once.
func (s *Service) wakeOutbox() {
	select {
	case s.wake <- struct{}{}:
	default: // it is awake
	}
}

// Run works on the queue and clears away what has expired, until ctx ends. Any
// number of processes may run it: a job is claimed by one statement.
func (s *Service) Run(ctx context.Context) error {
	poll := time.NewTicker(pollEvery)
	defer poll.Stop()
	sweep := time.NewTicker(sweepEvery)
	defer sweep.Stop()
	for {
		if err := s.Deliver(ctx); err != nil && ctx.Err() == nil {
			s.log.ErrorContext(ctx, "outbox stands still", "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-s.wake:
		case <-poll.C:
		case <-sweep.C:
			if err := s.Sweep(ctx); err != nil && ctx.Err() == nil {
				s.log.ErrorContext(ctx, "expired rows stay", "error", err)
			}
		}
	}
}

// Deliver does every job that is due and returns. A job that fails is tried
// again later and is no error of Deliver's.
func (s *Service) Deliver(ctx context.Context) error {
	for ctx.Err() == nil {
		c, err := s.claim(ctx)
		if errors.Is(err, errNoRow) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("deliver: %w", err)
		}
		if err := s.work(ctx, c); err != nil {
			s.log.WarnContext(ctx, "queued work will be tried again", "kind", c.kind, "attempt", c.attempts, "error", err)
			continue
		}
		if _, err := s.write(ctx, "finish queued work", `DELETE FROM outbox WHERE id = $1`, c.id); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// claim takes the job that is due longest, and puts off everybody else by a
// lease that is also the wait before the next try.
func (s *Service) claim(ctx context.Context) (c claimed, err error) {
	var sealed string
	now := s.now()
	err = s.db.Write(ctx, func(ctx context.Context, q store.Querier) error {
		err := q.QueryRowContext(ctx, `
			UPDATE outbox SET attempts = attempts + 1
			WHERE id = (SELECT id FROM outbox WHERE due_at <= $1 ORDER BY due_at, id LIMIT 1) AND due_at <= $1
			RETURNING id, kind, body, attempts, created_at`,
			now.UnixMilli()).Scan(&c.id, &c.kind, &sealed, &c.attempts, &c.created)
		if errors.Is(err, sql.ErrNoRows) {
			return errNoRow
		}
		if err != nil {
			return fmt.Errorf("claim: %w", err)
		}
		lease := min(lastRetry, firstRetry<<min(c.attempts-1, 6))
		_, err = q.ExecContext(ctx, `UPDATE outbox SET due_at = $2 WHERE id = $1`, c.id, now.Add(lease).UnixMilli())
		return wrap("claim", err)
	})
	if err != nil {
		return claimed{}, err
	}
	plain, _, err := s.keys.Open(sealed, "job "+c.id)
	if err == nil {
		err = json.Unmarshal(plain, &c.job)
	}
	if err != nil {
		c.kind = "unreadable " + c.kind // its key is gone: it is given up below
	}
	return c, nil
}

// work does one job; nil means that it need not come again.
func (s *Service) work(ctx context.Context, c claimed) error {
	do, ok := map[string]func(context.Context, claimed) error{
		jobMail:     s.sendMail,
		jobReset:    s.sendReset,
		jobRegister: s.createRegistered,
	}[c.kind]
	if !ok || s.millis()-c.created > jobLife.Milliseconds() {
		s.log.ErrorContext(ctx, "queued work given up", "kind", c.kind, "attempt", c.attempts)
		return nil
	}
	return do(ctx, c)
}

func (s *Service) sendMail(ctx context.Context, c claimed) error {
	return s.mail.Send(ctx, mail.Message{To: c.To, Subject: c.Subject, Text: c.Text})
}

// Sweep deletes what has expired: nothing reads it any more.
func (s *Service) Sweep(ctx context.Context) error {
	now := s.now()
	for _, x := range []struct {
		query  string
		before time.Time
	}{
		{`DELETE FROM refresh_tokens WHERE expires_at < $1`, now},
		{`DELETE FROM sessions WHERE expires_at < $1`, now},
		{`DELETE FROM challenges WHERE expires_at < $1`, now},
		{`DELETE FROM known_ips WHERE seen_at < $1`, now.Add(-knownFor)},
	} {
		if _, err := s.write(ctx, "sweep", x.query, x.before.UnixMilli()); err != nil {
			return err
		}
	}
	return nil
}
