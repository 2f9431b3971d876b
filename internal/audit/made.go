package audit

import (
	"context"
	"fmt"
	"net/http"
	"slices"
)

// made is what a probe has made in somebody's name.
type made struct {
	owner session
	undo  string // operation that takes it back
	id    string // "" = the answer that made it did not tell
	gone  bool
}

// undoes are the operations that take back what others make.
var undoes = map[string]string{"create": "delete", "write_log": "void_log"}

// remember keeps what an answer to an operation says was made, so that it is taken back
// when the probe has ended, by a failure or an interruption too; nil when nothing was made.
func (t *T) remember(s session, operation string, a Answer) *made {
	undo := undoes[operation]
	if undo == "" || a.Err != nil || a.Status/100 != 2 && !t.Operation(operation).Succeeded(a.Status) {
		return nil
	}
	o := &made{owner: s, undo: undo}
	o.id, _ = t.Operation(operation).Field(a.Body, "id")
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.made) == 0 {
		t.closers = append(t.closers, t.tidy)
	}
	t.made = append(t.made, o)
	return o
}

// takeBack takes back what was made; an error says why it may still be there.
func (t *T) takeBack(o *made, send func(Request) Answer) error {
	if _, ok := t.target.Profile.Operations[o.undo]; !ok {
		return fmt.Errorf("the profile has no %s", o.undo)
	}
	if o.id == "" {
		return fmt.Errorf("the answer that made it has no id for %s", o.undo)
	}
	m, err := t.run.message(t.target, o.undo, o.owner.access, values{"id": o.id})
	if err != nil {
		return err
	}
	a := send(message(m, o.owner, o.undo))
	o.gone = a.Err == nil && (t.Operation(o.undo).Succeeded(a.Status) || a.Status == http.StatusNotFound || a.Status == http.StatusGone)
	if !o.gone {
		return fmt.Errorf("%s got %s", o.undo, a.got())
	}
	return nil
}

// tidy takes back all that is still there, when the probe has ended: it ends nothing, and
// writes no transcript. Where the profile has no operation for that, it stays.
func (t *T) tidy(ctx context.Context) (err error) {
	stay := 0
	send := func(q Request) Answer {
		a, _ := t.client().Send(ctx, ready(&q)) // trouble is in the answer
		return Answer{Answer: a}
	}
	for _, o := range slices.Backward(t.made) {
		if _, ok := t.target.Profile.Operations[o.undo]; !ok || o.gone {
			continue
		}
		if failed := t.takeBack(o, send); failed != nil {
			err = fmt.Errorf("%w: what was made stays with %s", failed, shorten(o.owner.Email))
			stay++
		}
	}
	if stay > 1 {
		err = fmt.Errorf("%w, and so do %d more", err, stay-1)
	}
	return err
}
