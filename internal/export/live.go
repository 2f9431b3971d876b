package export

import (
	"bytes"
	"fmt"
	"net/http"
	"sync"

	"vitals/report"
)

// mostKept is how many states a page that comes late is given: two hours of seconds.
const mostKept = 7200

// live is the live page and its events.
type live struct {
	mu      sync.Mutex
	history [][]byte // of the scenario that runs
	name    string
	ended   []byte
	changed chan struct{} // closed when there is more
	closed  chan struct{}
	once    sync.Once
}

func newLive() *live { return &live{changed: make(chan struct{}), closed: make(chan struct{})} }

func (l *live) show(n report.Now) {
	event, err := n.Event()
	if err != nil {
		return // of plain numbers there is nothing that could fail
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if n.Scenario != l.name {
		l.name, l.history = n.Scenario, nil
	}
	if len(l.history) < mostKept {
		l.history = append(l.history, event)
	}
	l.wake()
}

func (l *live) end(d *report.Document) {
	event, err := d.EndEvent()
	if err != nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ended = event
	l.wake()
}

func (l *live) wake() {
	close(l.changed)
	l.changed = make(chan struct{})
}

func (l *live) close() { l.once.Do(func() { close(l.closed) }) }

func (l *live) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		var page bytes.Buffer
		if err := report.LivePage(&page); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		_, _ = w.Write(page.Bytes())
	})
	mux.HandleFunc("GET /favicon.ico", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	mux.HandleFunc("GET /events", l.events)
	return mux
}

// events sends all that was, then each state as it comes, until the end or until
// the reader leaves.
func (l *live) events(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	to := http.NewResponseController(w)
	send := func(name string, data []byte) bool {
		_, err := fmt.Fprintf(w, "event: %s\ndata: %s\n\n", name, data)
		return err == nil && to.Flush() == nil
	}
	l.mu.Lock()
	name, sent := l.name, len(l.history)
	all := append(append([]byte("["), bytes.Join(l.history, []byte(","))...), ']')
	l.mu.Unlock()
	if !send("history", all) {
		return
	}
	for {
		l.mu.Lock()
		if l.name != name {
			name, sent = l.name, 0
		}
		fresh, ended, changed := l.history[sent:], l.ended, l.changed
		sent = len(l.history)
		l.mu.Unlock()
		for _, event := range fresh {
			if !send("now", event) {
				return
			}
		}
		if ended != nil {
			send("end", ended)
			return
		}
		select {
		case <-changed:
		case <-l.closed:
			return
		case <-r.Context().Done():
			return
		}
	}
}
