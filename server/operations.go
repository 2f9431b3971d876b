package server

import (
	"encoding/json"
	"net/http"
	"time"

	"vitals/server/telemetry"
	"vitals/server/web"
)

// operations answers /health, /ready and /live ahead of CORS, the
// limiter, authentication and the load shedder: a probe must get through when
// nothing else does.
func (s *Server) operations(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		x := exchangeOf(r.Context())
		if !x.route.operational {
			next.ServeHTTP(w, r)
			return
		}
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			web.Fail(http.StatusMethodNotAllowed, "method_not_allowed", "This path answers GET and HEAD.").Write(w, r)
			return
		}
		now := time.Now().UTC().Format(telemetry.TimeLayout)
		switch x.route.path {
		case "/health":
			writeJSON(w, http.StatusOK, healthAnswer{"healthy", now, s.version, string(s.cfg.Core.Env)})
		case "/live": // constant: a liveness probe that asks the database turns its outage into a crash loop
			writeJSON(w, http.StatusOK, liveAnswer{"alive", now})
		case "/ready":
			answer := readyAnswer{"ready", now, s.version, readyChecks{Database: s.ready.ok(r.Context()), Config: true}}
			status := http.StatusOK
			if !answer.Checks.Database || s.draining.Load() {
				answer.Status, status = "not_ready", http.StatusServiceUnavailable
			}
			writeJSON(w, status, answer)
		}
	})
}

type healthAnswer struct {
	Status    string `json:"status"`
	Timestamp string `json:"timestamp"`
	Version   string `json:"version"`
	Env       string `json:"env"`
}

type readyAnswer struct {
	Status    string      `json:"status"`
	Timestamp string      `json:"timestamp"`
	Version   string      `json:"version"`
	Checks    readyChecks `json:"checks"`
}

// readyChecks has Config true whenever the process runs: start-up validated it
// and brought the migrations to their head, or refused.
type readyChecks struct {
	Database bool `json:"database"`
	Config   bool `json:"config"`
}

type liveAnswer struct {
	Status    string `json:"status"`
	Timestamp string `json:"timestamp"`
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // the prober may be gone; nothing to do about it
}
