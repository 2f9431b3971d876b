package process

import (
	"context"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	dto "github.com/prometheus/client_model/go"

	"vitals/server/telemetry"
)

// scrapeTimeout bounds how long one worker may hold up /metrics.
const scrapeTimeout = time.Second

// gather is the service's metrics: every worker is asked over its unix socket,
// and the answers, this process's own and the counts of ended workers are
// merged (telemetry.Merge says how). A worker that does not answer is
// represented by its last answer, and counted. What a killed worker counted
// after its last scrape is lost; process_worker_restarts_total says that it
// happened.
func (s *supervisor) gather() ([]*dto.MetricFamily, error) {
	s.mu.Lock()
	asked := maps.Clone(s.running)
	s.mu.Unlock()

	var wg sync.WaitGroup
	for n, c := range asked {
		wg.Go(func() {
			ctx, cancel := context.WithTimeout(context.Background(), scrapeTimeout)
			defer cancel()
			families, err := c.scrape(ctx)
			s.mu.Lock()
			defer s.mu.Unlock()
			if err != nil {
				s.scrapes.Inc()
				return
			}
			if s.running[n] == c { // else its counts are in retired already
				s.last[n] = families
			}
		})
	}
	wg.Wait()

	own, err := s.registry.Gather()
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	sources := [][]*dto.MetricFamily{own, s.retired}
	for _, families := range s.last {
		sources = append(sources, families)
	}
	return telemetry.Merge(sources...)
}

// profile passes /workers/{n}/debug/pprof/… on to worker n.
func (s *supervisor) profile(w http.ResponseWriter, r *http.Request) {
	n, _ := strconv.Atoi(r.PathValue("n"))
	s.mu.Lock()
	c := s.running[n]
	s.mu.Unlock()
	if c == nil {
		http.NotFound(w, r)
		return
	}
	prefix := "/workers/" + r.PathValue("n")
	proxy := &httputil.ReverseProxy{
		Transport: c.http.Transport,
		Rewrite: func(p *httputil.ProxyRequest) {
			p.SetURL(&url.URL{Scheme: "http", Host: "worker"})
			p.Out.URL.Path = strings.TrimPrefix(p.In.URL.Path, prefix)
		},
	}
	proxy.ServeHTTP(w, r)
}

func isEOF(err error) bool { return errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) }
