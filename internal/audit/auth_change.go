package audit

import (
	"context"
	"fmt"
)

// change changes the password of a session's account, and gives the answer and the
// account as it is then. However the probe ends, by a failure or by an interruption too,
// the old password is set back: a later audit signs in with it.
func (t *T) change(s session) (Answer, Account) {
	changed, from := s.Account, t.Address()
	changed.Password = strong()
	t.run.secrets.add(changed.Password)
	a := t.Do("password_change", s.from, s.access, values{"password": s.Password, "new_password": changed.Password})
	if !t.Operation("password_change").Succeeded(a.Status) {
		return a, s.Account
	}
	in := t.Login(from, changed.Email, changed.Password)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.closers = append(t.closers, func(ctx context.Context) error {
		if err := t.changeBack(ctx, in, changed.Password, s.Password); err != nil {
			return fmt.Errorf("%w: the password of %s stays changed, so that a later audit needs another account", err, shorten(s.Email))
		}
		if t.mu.Lock(); t.ctx.Err() != nil && t.skipped != "" {
			t.skipped += fmt.Sprintf("; the password of %s had been changed, and was set back", shorten(s.Email))
		}
		t.mu.Unlock()
		return nil
	})
	return a, changed
}

// changeBack signs in and changes the password from one to another, when the probe has
// ended: it ends nothing, and writes no transcript.
func (t *T) changeBack(ctx context.Context, in Request, from, to string) error {
	login, change := t.target.Profile.Operations["login"], t.target.Profile.Operations["password_change"]
	signed, err := t.client().Send(ctx, ready(&in))
	if err != nil {
		return err
	}
	t.keep("login", values{"email": in.User}, Answer{Answer: signed})
	token, ok := login.Field(signed.Body, "access_token")
	if !ok {
		return fmt.Errorf("sign-in with the new password: got %d", signed.Status)
	}
	m, err := t.run.message(t.target, "password_change", token, values{"password": from, "new_password": to})
	if err != nil {
		return err
	}
	q := Request{Method: m.Method, Path: m.Path, Header: m.Header, Body: m.Body, Policy: m.Policy, From: in.From, User: in.User}
	a, err := t.client().Send(ctx, ready(&q))
	if err == nil && !change.Succeeded(a.Status) {
		err = fmt.Errorf("changing it back: got %d", a.Status)
	}
	return err
}
