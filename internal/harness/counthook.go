package harness

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"time"

	"vitals/internal/load"
	"vitals/internal/measure"
	"vitals/internal/observe"
	"vitals/internal/stack"
	"vitals/internal/wire"
	"vitals/report"
)

// pageTime bounds one reading of the server's metrics pages.
const pageTime = 10 * time.Second

// countHook compares our count of every request with the server's own.
type countHook struct {
	quiet
	st       *stack.Stack
	restarts func() bool            // whether a process of the API was restarted on purpose
	counts   *observe.RequestCounts // ours
	anew     *anew                  // what the page showed meanwhile

	client http.Client
	first  *observe.Reading
	why    string // the server's counts could not be read
}

func (h *countHook) Before(ctx context.Context, _ *load.Options) {
	h.client.Timeout = pageTime
	h.counts = observe.NewRequestCounts() // from the server's first reading on: what was sent to prepare is in neither
	if h.why != "" {
		return
	}
	if len(h.pages()) == 0 {
		h.why = "the server's metrics page is out of reach (name it with --metrics)"
		return
	}
	h.first = h.read(ctx)
}

func (h *countHook) After(ctx context.Context, run *report.Run) {
	defer h.client.CloseIdleConnections()
	var last *observe.Reading
	if h.first != nil {
		last = h.read(context.WithoutCancel(ctx))
	}
	if last == nil {
		run.Reconciliation = &observe.Reconciliation{Unread: h.why}
	} else {
		run.Reconciliation = observe.Reconcile(h.first, last, h.counts, observe.Terms{Operational: h.operational, Restart: h.restarts()})
	}
	// A page of another make has no counts to compare, and may tell of a restart.
	if why := h.anew.restarted(); why != "" && h.st.Kind == "url" && !h.restarts() && len(run.Reconciliation.Findings) == 0 {
		run.Reconciliation.Findings = []string{measure.CauseRestarted + ": " + why}
	}
}

func (h *countHook) read(ctx context.Context) *observe.Reading {
	ctx, cancel := context.WithTimeout(ctx, pageTime)
	defer cancel()
	r, err := observe.Read(ctx, &h.client, h.pages())
	if err != nil && h.why == "" {
		h.why = err.Error()
	}
	return r
}

// pages are those of all processes of the API.
func (h *countHook) pages() []*url.URL {
	if len(h.st.Admins) == 0 && h.st.Metrics != nil {
		return []*url.URL{h.st.Metrics}
	}
	return h.st.Admins
}

// operational are the routes that orchestrators and balancers ask at any time, and the
// metrics page, which we read ourselves.
func (h *countHook) operational(route string) bool {
	page := slices.ContainsFunc(h.pages(), func(u *url.URL) bool { return u.Path == route })
	return page || route == "/health" || route == "/ready" || route == "/live"
}

// see enters one request into our counts.
func (h *countHook) see(x *wire.Seen) {
	e := observe.Entry{Method: x.Method, Route: x.Route, Status: x.Status}
	switch x.Class {
	case measure.None:
	default:
		if x.Class.Unreached() || x.Class == measure.NoPorts || x.Class == measure.FDLimit {
			h.counts.Unreached()
			return
		}
		e.Status = 0
	}
	h.counts.Add(e, len(x.ID) > 0)
}
