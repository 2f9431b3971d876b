// Package history keeps what nightly sessions measured, one line per session,
// scenario and metric, and says where a level seems to have changed. It
// suspects; a duet confirms.
package history

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"vitals/internal/baseline"
)

// fileName is the store inside its folder: JSON, one object a line, only ever
// appended to.
const fileName = "history.jsonl"

// maxLine bounds one line of the store.
const maxLine = 1 << 20

// Night is one metric of one session. Mean and Sd are on the log scale for all
// metrics but errors, over the session's K valid runs.
type Night struct {
	Session  string    `json:"session"`
	Time     time.Time `json:"time"`
	Rev      string    `json:"rev,omitempty"`
	Ref      string    `json:"ref,omitempty"` // how a duet finds the build again, when it is no revision
	Class    string    `json:"env_class"`
	Stack    string    `json:"stack,omitempty"` // embedded, containers or url
	Scenario string    `json:"scenario"`
	Named    string    `json:"named,omitempty"` // how a command names the scenario: a built-in name, or a file
	Flags    []string  `json:"flags,omitempty"` // that a command needs to run the same
	Load     string    `json:"load"`            // hash of scenario and load model: other load is another series
	Metric   string    `json:"metric"`
	Mean     float64   `json:"mean"`
	Sd       float64   `json:"sd"`
	K        int       `json:"k"`
}

// Accepted is a change of level that somebody knows the reason of: earlier
// nights are no longer what later ones are held to.
type Accepted struct {
	Session string    `json:"accept"` // first session of the new level
	Reason  string    `json:"reason"`
	At      time.Time `json:"at"`
}

// Store is a history as it was read.
type Store struct {
	path     string
	Nights   []Night
	Accepted []Accepted
}

// Open reads the history of a folder that is there; one that has none yet is empty. A
// line that cannot be read is an error with its number: nothing is left out in
// silence.
func Open(dir string) (*Store, error) {
	if _, err := os.Stat(dir); err != nil {
		return nil, fmt.Errorf("read history: %w", err)
	}
	return read(dir)
}

func read(dir string) (*Store, error) {
	s := &Store{path: filepath.Join(dir, fileName)}
	text, err := os.ReadFile(s.path)
	if errors.Is(err, fs.ErrNotExist) {
		return s, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read history: %w", err)
	}
	lines := bufio.NewScanner(bytes.NewReader(text))
	lines.Buffer(nil, maxLine)
	for n := 1; lines.Scan(); n++ {
		var line struct {
			Night
			Accepted
		}
		if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
			return nil, fmt.Errorf("read history %s:%d: %w", s.path, n, err)
		}
		switch {
		case line.Accepted.Session != "":
			s.Accepted = append(s.Accepted, line.Accepted)
		case line.Night.Session == "" || line.Metric == "" || line.Scenario == "":
			return nil, fmt.Errorf("read history %s:%d: neither a night nor an accepted change", s.path, n)
		default:
			s.Nights = append(s.Nights, line.Night)
		}
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("read history %s: %w", s.path, err)
	}
	return s, nil
}

// With is the history with a session more, in memory alone.
func (s *Store) With(f *baseline.File) *Store {
	return &Store{Nights: append(slices.Clone(s.Nights), nightsOf(f)...), Accepted: s.Accepted}
}

// nightsOf are the figures of a session's valid runs.
func nightsOf(f *baseline.File) (nights []Night) {
	kind, _ := f.Env.Hard["stack"].(string)
	for _, m := range f.Means() {
		nights = append(nights, Night{
			Session: f.Session.ID, Time: f.Session.Started.UTC(), Rev: f.Subject.GitRev, Ref: cmp.Or(f.Subject.Ref, f.Subject.Image),
			Class: f.Env.Class, Stack: kind, Scenario: m.Scenario, Named: m.Named, Flags: f.Session.Flags, Load: m.Load, Metric: m.Metric, Mean: m.Mean, Sd: m.Sd, K: m.K,
		})
	}
	return nights
}

// errNoRun says of a session that there is nothing in it to keep.
var errNoRun = errors.New("has no valid run")

// Add appends the valid runs of a session, and says how many figures that are.
// A session that is there already is an error, and so is one without a valid
// run.
func (s *Store) Add(f *baseline.File) (int, error) {
	if slices.ContainsFunc(s.Nights, func(n Night) bool { return n.Session == f.Session.ID }) {
		return 0, fmt.Errorf("session %s is in the history already", f.Session.ID)
	}
	nights := nightsOf(f)
	if len(nights) == 0 {
		return 0, fmt.Errorf("session %s %w: %s", f.Session.ID, errNoRun, cmp.Or(f.InvalidRuns(), "it has no run at all"))
	}
	if err := appendLines(s.path, nights...); err != nil {
		return 0, err
	}
	s.Nights = append(s.Nights, nights...)
	return len(nights), nil
}

// Accept writes that the level changed with a session, and why.
func (s *Store) Accept(session, reason string, now time.Time) error {
	if reason == "" {
		return errors.New("accept needs a reason: the next reader must know why the level changed")
	}
	if !slices.ContainsFunc(s.Nights, func(n Night) bool { return n.Session == session }) {
		return fmt.Errorf("no session %s in the history; vitals history list shows them", session)
	}
	a := Accepted{Session: session, Reason: reason, At: now.UTC().Truncate(time.Second)}
	if err := appendLines(s.path, a); err != nil {
		return err
	}
	s.Accepted = append(s.Accepted, a)
	return nil
}

// Reason is why the level was accepted to change with a session; "" when it was
// not.
func (s *Store) Reason(session string) string {
	for _, a := range slices.Backward(s.Accepted) {
		if a.Session == session {
			return a.Reason
		}
	}
	return ""
}

// appendLines writes all lines at once, so that a full disk leaves no part of
// a session behind another's line. The first session makes the folder.
func appendLines[T any](path string, lines ...T) error {
	var text bytes.Buffer
	e := json.NewEncoder(&text)
	for _, l := range lines {
		if err := e.Encode(l); err != nil {
			return fmt.Errorf("write history: %w", err)
		}
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return fmt.Errorf("write history: %w", err)
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return fmt.Errorf("write history: %w", err)
	}
	_, err = f.Write(text.Bytes())
	if err = errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("write history: %w", err)
	}
	return nil
}
