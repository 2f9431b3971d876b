// Package sentrytest is a Sentry for tests: it takes what a client sends and
// keeps it to be looked at.
package sentrytest

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
)

// Ingest is the server's end of Sentry's envelope protocol.
type Ingest struct {
	server *httptest.Server
	mu     sync.Mutex
	raw    bytes.Buffer
	items  map[string][]map[string]any
}

// New starts an ingest that ends with the test.
func New(t testing.TB) *Ingest {
	in := &Ingest{items: map[string][]map[string]any{}}
	in.server = httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return // the client gave up; so does the test, if it waits for this
		}
		in.keep(t, body)
	}))
	t.Cleanup(in.server.Close)
	return in
}

// keep takes an envelope apart: a header line, then a head and a payload line for
// each item.
func (in *Ingest) keep(t testing.TB, envelope []byte) {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.raw.Write(envelope)
	lines := bufio.NewScanner(bytes.NewReader(envelope))
	lines.Buffer(nil, 1<<20)
	lines.Scan()
	for lines.Scan() {
		var head struct{ Type string }
		if json.Unmarshal(lines.Bytes(), &head) != nil || !lines.Scan() {
			continue
		}
		var item map[string]any
		if err := json.Unmarshal(lines.Bytes(), &item); err != nil {
			t.Errorf("Sentry item of type %s: %v", head.Type, err)
		}
		in.items[head.Type] = append(in.items[head.Type], item)
	}
}

// DSN is the address clients send to.
func (in *Ingest) DSN() string {
	return strings.Replace(in.server.URL, "http://", "http://public-key@", 1) + "/1"
}

// Items are the payloads of one type so far: "event", "transaction".
func (in *Ingest) Items(kind string) []map[string]any {
	in.mu.Lock()
	defer in.mu.Unlock()
	return slices.Clone(in.items[kind])
}

// Raw is every byte received.
func (in *Ingest) Raw() string {
	in.mu.Lock()
	defer in.mu.Unlock()
	return in.raw.String()
}
