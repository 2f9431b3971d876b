package audit

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"
)

// Moments and days that can be written and seldom be kept: year −1 in UTC, year 0, year
// 10000 in UTC, the last that four digits hold, and years of five.
var (
	oddMoments = []string{"0000-01-01T00:00:00+14:00", "0000-01-01T00:00:00Z", "9999-12-31T23:59:59-14:00", "9999-12-31T23:59:59Z", "10000-01-01T00:00:00Z", "+010000-01-01T00:00:00Z"}
	oddDays    = []string{"0000-01-01", "9999-12-31", "10000-01-01", "+10000-01-01"}
)

// edges are the odd dates for a text that is a date: those of its own form first, for
// there are APIs that take both. None for any other text.
func edges(text string) []string {
	if _, err := time.Parse(time.RFC3339, text); err == nil {
		return slices.Concat(oddMoments, oddDays)
	}
	if _, err := time.Parse(time.DateOnly, text); err == nil {
		return slices.Concat(oddDays, oddMoments)
	}
	return nil
}

// dating is the trial of odd dates in what one account makes and changes.
type dating struct {
	*T
	s    session
	base *made // what is changed
}

func oddDates(t *T) {
	s := t.Session()
	d := &dating{t, s, t.thing(s)}
	tried := 0
	for _, operation := range ownBodies {
		q, _ := d.filled(operation, s, d.base.id)
		body := object(q.Body)
		asked := false
		for _, field := range slices.Sorted(maps.Keys(body)) {
			text, _ := body[field].(string)
			for _, edge := range edges(text) {
				if !asked {
					d.wholeBefore(operation)
				}
				asked = true
				tried++
				d.try(operation, field, edge)
			}
		}
	}
	if tried == 0 {
		t.Lacks("profile %s has no operation whose body has a date that could be filled in", t.target.Profile.Name)
	}
}

// try sends an operation with an odd date in a field. To refuse it is right; whatever
// else the answer is, the list must be whole after it.
func (d *dating) try(operation, field, edge string) {
	q, ok := d.filled(operation, d.s, d.base.id)
	if !ok {
		return
	}
	body := object(q.Body)
	body[field] = edge
	q.Body, _ = json.Marshal(body) // it came from JSON
	q.Label = fmt.Sprintf("%s with %s %s", operation, field, edge)
	a := d.again(q)
	if d.limited(operation, a) {
		d.Skip("%v: got %s: a limit refused it, so that this date and the rest were not tried", a, a.got())
	}
	d.For("16.5.4").Check(a.Err == nil, "%v: got %s, want an answer", a, a.got())
	d.Check(a.Err != nil || a.Status < http.StatusInternalServerError, "%v: got %s, want it refused, or taken and told again", a, a.got())
	if a.Status/100 != 4 {
		d.listed(operation, a, d.remember(d.s, operation, a))
	}
}

// limited tells whether a limit refused an operation.
func (d *dating) limited(operation string, a Answer) bool {
	return a.Status == http.StatusTooManyRequests || d.judge(operation).Refuses(a.Status, a.RetryAfter() >= 0)
}

// lists is the operation that lists what another makes or changes; "" = none.
func (d *dating) lists(operation string) string {
	name := "list"
	if operation == "write_log" {
		name = "list_logs"
	}
	if _, ok := d.target.Profile.Operations[name]; !ok {
		return ""
	}
	return name
}

// list asks for a list, and once more where it is not whole: what is stored in it shows
// again.
func (d *dating) list(name string) (a Answer, whole bool) {
	for range 2 {
		a = d.Do(name, d.s.from, d.s.access, nil)
		if a.Err == nil && d.Operation(name).Succeeded(a.Status) && json.Valid(a.Body) {
			return a, true
		}
	}
	return a, false
}

// wholeBefore skips the probe where the list is broken before any date was sent.
func (d *dating) wholeBefore(operation string) {
	name := d.lists(operation)
	if name == "" {
		return
	}
	if a, whole := d.list(name); !whole {
		d.Skip("%v before a date was tried with %s: got %s and %d bytes, which is no list that is whole, so that no date could be seen to break it", a, operation, a.got(), len(a.Body))
	}
}

// listed checks that the list is whole after an odd date, and takes back what was made
// with it: the next date is tried on a list that is whole, or not at all.
func (d *dating) listed(operation string, sent Answer, o *made) {
	name := d.lists(operation)
	if name == "" {
		return
	}
	a, whole := d.list(name)
	if !whole && (d.limited(name, a) || slices.Contains([]int{http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound}, a.Status)) {
		d.Skip("%v after %v: got %s, which says nothing of the date", a, sent, a.got())
	}
	if whole {
		d.Check(true, "")
		if o != nil {
			_ = d.takeBack(o, d.again) // tried again when the probe ends, and told then
		}
		return
	}
	took := "was taken"
	if sent.Status/100 != 2 {
		took = "got " + sent.got()
	}
	mended, words := d.mend(operation, name, o)
	d.Check(false, "%v after %s %s: got %s and %d bytes, want a list that is whole; %s", a, sent.Label, took, a.got(), len(a.Body), words)
	if !mended {
		d.Skip("the list stays broken, so that other dates could not be told from this one")
	}
	if d.base.gone {
		d.base = d.thing(d.s)
	}
}

// mend takes back what was made with an odd date, and then what was changed, until the
// list is whole, and says what came of it.
func (d *dating) mend(operation, name string, o *made) (mended bool, words string) {
	suspects, why := []*made{o}, []string(nil)
	if operation != "create" {
		suspects = append(suspects, d.base)
	}
	for _, one := range suspects {
		if one == nil {
			continue
		}
		if err := d.takeBack(one, d.again); err != nil {
			why = append(why, err.Error())
			continue
		}
		a, whole := d.list(name)
		if whole {
			return true, "it is whole again without it"
		}
		why = append(why, fmt.Sprintf("after %s it got %s", one.undo, a.got()))
	}
	if len(why) == 0 {
		why = append(why, "no id was told by which it could be removed")
	}
	return false, fmt.Sprintf("it stays so, and the date may stay in the list of %s: %s", shorten(d.s.Email), strings.Join(why, ", "))
}
