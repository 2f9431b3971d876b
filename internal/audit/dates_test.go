package audit_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"vitals/internal/audit"
	"vitals/internal/audit/audittest"
	"vitals/internal/profile"
)

// diary takes days and moments, and can list none whose year in UTC has not four digits.
type diary struct {
	mu      sync.Mutex
	kept    map[string]time.Time
	made    int
	got     []string
	undoes  bool                  // else what was made stays
	refuses func(due string) bool // nil = what is no date alone
	answers func(due string) int  // the status of what was taken; nil = 201
	limit   int                   // dates beyond it are refused with 429; 0 = none
}

func (d *diary) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	d.mu.Lock()
	defer d.mu.Unlock()
	id := strings.TrimPrefix(r.URL.Path, "/days/")
	switch {
	case r.URL.Path == "/me":
		_, _ = w.Write([]byte(`{"id":"u-1"}`))
	case r.URL.Path == "/in":
		_, _ = w.Write([]byte(`{"access_token":"abcdefgh-token"}`))
	case r.Method == http.MethodDelete && d.undoes:
		delete(d.kept, id)
		w.WriteHeader(http.StatusNoContent)
	case r.Method == http.MethodDelete:
		w.WriteHeader(http.StatusInternalServerError)
	case r.Method == http.MethodPost:
		d.take(w, r, strconv.Itoa(d.made+1))
	case r.Method == http.MethodPatch:
		d.take(w, r, id)
	default:
		for _, at := range d.kept {
			if y := at.UTC().Year(); y < 0 || y > 9999 {
				w.WriteHeader(http.StatusInternalServerError)
				return
			}
		}
		_ = json.NewEncoder(w).Encode(d.kept)
	}
}

func (d *diary) take(w http.ResponseWriter, r *http.Request, id string) {
	var body struct{ Due string }
	_ = json.NewDecoder(r.Body).Decode(&body)
	d.got = append(d.got, body.Due)
	at, err := time.Parse(time.RFC3339, body.Due)
	if err != nil {
		at, err = time.Parse(time.DateOnly, body.Due)
	}
	if d.limit > 0 && len(d.got) > d.limit {
		w.WriteHeader(http.StatusTooManyRequests)
		return
	}
	if err != nil || d.refuses != nil && d.refuses(body.Due) {
		w.WriteHeader(http.StatusUnprocessableEntity)
		return
	}
	d.made++
	d.kept[id] = at
	status := http.StatusCreated
	if d.answers != nil {
		status = d.answers(body.Due)
	}
	w.WriteHeader(status)
	if status == http.StatusCreated {
		_, _ = w.Write([]byte(`{"id":"` + id + `"}`))
	}
}

// dated audits a diary whose profile writes what is due in that way, by SH7 or another probe.
func dated(t *testing.T, ctx context.Context, h http.Handler, due string, change func(p *profile.Profile), only ...string) audit.Finding {
	t.Helper()
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	u, _ := url.Parse(srv.URL)
	p, err := profile.Read(strings.NewReader(`profile: diary
promises: {standards: [asvs-5.0]}
operations:
  login: {method: POST, path: /in, body: {mail: "{{email}}", word: "{{password}}"}}
  me: {path: /me}
  list: {path: /days}
  create: {method: POST, path: /days, body: {due: "`+due+`"}}
  update: {method: PATCH, path: "/days/{{id}}", body: {due: "`+due+`"}}
  delete: {method: DELETE, path: "/days/{{id}}"}
`), "diary.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if change != nil {
		change(p)
	}
	g := &audit.Target{
		URL: u, Profile: p, Own: true,
		Accounts: []audit.Account{{Email: "ann@diary.example", Password: "Ann-0123456"}, {Email: "bea@diary.example", Password: "Bea-0123456"}},
		Source:   func(n uint64) netip.Addr { return netip.AddrFrom4([4]byte{127, 40, byte(n >> 8), byte(n)}) },
	}
	return audit.Run(ctx, probes(t, audit.Intrusive, append(only, "SH7")[0]), g, audit.Options{Patience: time.Minute}).Findings[0]
}

func without(names ...string) func(p *profile.Profile) {
	return func(p *profile.Profile) {
		for _, name := range names {
			delete(p.Operations, name)
		}
	}
}

// Each date that breaks the list is named, and no other, whatever form the profile writes
// it in; and the list is whole afterwards.
func TestOnlyDatesThatBreakTheListAreNamed(t *testing.T) {
	t.Parallel()
	for _, due := range []string{"{{today}}", "{{now}}"} {
		d := &diary{kept: map[string]time.Time{}, undoes: true}
		f := dated(t, t.Context(), d, due, nil)
		lines := strings.Split(f.Reason, "\n")
		for i, want := range []string{"create with due 0000-01-01T00:00:00+14:00 was taken", "create with due 9999-12-31T23:59:59-14:00 was taken", "update with due 0000-01-01T00:00:00+14:00 was taken", "update with due 9999-12-31T23:59:59-14:00 was taken"} {
			if len(lines) != 4 || !strings.Contains(lines[i], want) || !strings.HasSuffix(lines[i], "want a list that is whole; it is whole again without it") {
				t.Fatalf("%s: got %v %q, want those four", due, f.Status, f.Reason)
			}
		}
		if f.Status != audit.Fail || len(d.kept) > 0 || len(f.Notes) > 0 {
			t.Errorf("%s: got %v, left %v, notes %q, want FAIL and nothing left", due, f.Status, d.kept, f.Notes)
		}
		for _, one := range []string{"10000-01-01", "+10000-01-01", "9999-12-31", "9999-12-31T23:59:59-14:00"} {
			if n := len(slices.DeleteFunc(slices.Clone(d.got), func(s string) bool { return s != one })); n != 2 {
				t.Errorf("%s: %s was sent %d times, want once by create and once by update", due, one, n)
			}
		}
	}
}

// Where the list cannot be mended, the first date is the only one that is named, and the
// finding says where it stays.
func TestTheFirstDateThatStaysEndsTheTrial(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		diary  *diary
		change func(p *profile.Profile)
		want   string
	}{
		"no delete":               {&diary{}, without("delete"), "the date may stay in the list of an…@diary.example: the profile has no delete"},
		"delete fails":            {&diary{}, nil, "the date may stay in the list of an…@diary.example: delete got 500"},
		"stored, and not told so": {&diary{undoes: true, answers: func(due string) int { return map[bool]int{true: 500, false: 201}[strings.HasPrefix(due, "0000")] }}, nil, "got 500: got 500 and 0 bytes, want a list that is whole; it stays so, and the date may stay in the list of an…@diary.example: no id was told"},
	} {
		d := c.diary
		d.kept = map[string]time.Time{}
		f := dated(t, t.Context(), d, "{{now}}", c.change)
		if f.Status != audit.Fail || strings.Count(f.Reason, "want a list that is whole") != 1 || !strings.Contains(f.Reason, c.want) || !strings.Contains(f.Reason, "not carried to its end: the list stays broken") {
			t.Errorf("%s: got %v %q", name, f.Status, f.Reason)
		}
		if name == "delete fails" && !strings.Contains(strings.Join(f.Notes, " "), "cleaning up: delete got 500: what was made stays with an…@diary.example, and so do 1 more") {
			t.Errorf("%s: got notes %q, want what stays", name, f.Notes)
		}
	}
}

// A list that was broken before, and a limit that is met, say nothing of dates.
func TestWhatIsNoDatesFault(t *testing.T) {
	t.Parallel()
	old := &diary{kept: map[string]time.Time{"0": time.Date(12000, 1, 1, 0, 0, 0, 0, time.UTC)}, undoes: true}
	if f := dated(t, t.Context(), old, "{{now}}", nil); f.Status != audit.Skip || !strings.Contains(f.Reason, "before a date was tried with create: got 500") {
		t.Errorf("broken before: got %v %q, want a skip that says so", f.Status, f.Reason)
	}
	sound := func(due string) bool { return !strings.HasPrefix(due, "20") }
	if f := dated(t, t.Context(), &diary{kept: map[string]time.Time{}, undoes: true, refuses: sound}, "{{now}}", nil); f.Status != audit.Pass {
		t.Errorf("a sound one: got %v %q, want PASS", f.Status, f.Reason)
	}
	if f := dated(t, t.Context(), &diary{kept: map[string]time.Time{}, undoes: true, refuses: sound, limit: 3}, "{{now}}", nil); f.Status != audit.Skip || !strings.Contains(f.Reason, "429: a limit refused it") {
		t.Errorf("a limit: got %v %q, want a skip that says so", f.Status, f.Reason)
	}
}

// An interruption leaves no date behind that breaks the list.
func TestAnInterruptedTrialOfDatesLeavesNothing(t *testing.T) {
	t.Parallel()
	d := &diary{kept: map[string]time.Time{}, undoes: true}
	ctx, end := context.WithCancel(t.Context())
	defer end()
	f := dated(t, ctx, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		d.mu.Lock()
		poisoned := len(d.got) > 1 // with the first odd date
		d.mu.Unlock()
		if poisoned {
			end()
		}
		d.ServeHTTP(w, r)
	}), "{{now}}", nil)
	if f.Status != audit.Skip || f.Reason != "interrupted" || d.made < 2 || len(d.kept) > 0 {
		t.Errorf("got %v %q, made %d, left %v, want an interrupted probe that left nothing", f.Status, f.Reason, d.made, d.kept)
	}
}

// Fields that a client must not set are tried on objects that do not stay.
func TestWhatWasMadeWithForeignFieldsIsTakenBack(t *testing.T) {
	t.Parallel()
	d := &diary{kept: map[string]time.Time{}, undoes: true}
	if f := dated(t, t.Context(), d, "{{now}}", nil, "AU11"); f.Status != audit.Pass || d.made < 3 || len(d.kept) > 0 {
		t.Errorf("got %v %q, made %d, left %v, want PASS and nothing left", f.Status, f.Reason, d.made, d.kept)
	}
}

// What a probe makes is taken back when it has ended, whatever it found.
func TestWhatProbesMakeIsTakenBack(t *testing.T) {
	t.Parallel()
	for _, lie := range []string{"", "keys in capitals are taken", "a date breaks the list", "foreign objects readable"} {
		s := audittest.New(lie)
		rep := examined(t, s, "SH6", "SH7", "AU10", "AU11")
		if n := s.Things(); n > 0 {
			t.Errorf("%q: %d things are left:\n%s", lie, n, show(rep))
		}
	}
}
