package observe

import "sync"

// RequestCounts is the client's side of the books: every request it sent, by method,
// route and status. Routes are paths as the scenario writes them, with
// {{placeholders}}. It is safe for concurrent use.
type RequestCounts struct {
	mu     sync.Mutex
	counts map[Entry]int64
	front  map[Entry]int64 // answers that bear the mark of something in front of the API
	ids    bool            // the API marks its answers with ids
	never  int64           // requests that never reached the server
	lost   int64           // not booked, for want of room
}

// maxEntries bounds the ledger against requests whose paths never end.
const maxEntries = 4096

// NewRequestCounts makes an empty ledger.
func NewRequestCounts() *RequestCounts {
	return &RequestCounts{counts: map[Entry]int64{}, front: map[Entry]int64{}}
}

// Add books one request. Status 0 is no whole answer; id tells whether the answer
// had a request ID.
func (l *RequestCounts) Add(e Entry, id bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	into := l.counts
	if l.ids = l.ids || id; !id && inFront[e.Status] {
		into = l.front
	}
	if n, ok := into[e]; ok || len(into) < maxEntries {
		into[e] = n + 1
		return
	}
	l.lost++
}

// Unreached books a request for which no connection could be made: no server can
// have counted it.
func (l *RequestCounts) Unreached() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.never++
}

// inFront are the statuses that net/http itself, or a proxy, answers with before a
// request gets to where it is counted.
var inFront = map[int]bool{400: true, 408: true, 413: true, 414: true, 417: true, 431: true, 501: true, 502: true, 503: true, 504: true, 505: true}
