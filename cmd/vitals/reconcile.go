package main

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"vitals/internal/load"
	"vitals/internal/measure"
	"vitals/internal/observe"
	"vitals/internal/wire"
	"vitals/report"
)

// pageTime bounds one reading of the server's books.
const pageTime = 10 * time.Second

// reconciled holds our count of every request against the server's own.
func (o *outing) reconciled() companion {
	client := &http.Client{Timeout: pageTime}
	var first *observe.Reading
	var why string
	read := func(ctx context.Context) *observe.Reading {
		ctx, cancel := context.WithTimeout(ctx, pageTime)
		defer cancel()
		r, err := observe.Read(ctx, client, o.pages())
		if err != nil && why == "" {
			why = err.Error()
		}
		return r
	}
	return companion{
		before: func(*load.Options) {
			o.counts = observe.NewRequestCounts()
			if len(o.pages()) == 0 {
				why = "the server's metrics page is out of reach (name it with --metrics)"
				return
			}
			first = read(o.drain)
		},
		after: func(run *report.Run) {
			defer client.CloseIdleConnections()
			var last *observe.Reading
			if first != nil {
				last = read(context.WithoutCancel(o.drain))
			}
			if first == nil || last == nil {
				run.Reconciliation = &observe.Reconciliation{Unread: why}
				return
			}
			run.Reconciliation = observe.Reconcile(first, last, o.counts, observe.Terms{
				Operational: operational, Restart: o.past.restarts(),
			})
		},
	}
}

// pages are those of all processes of the API.
func (o *outing) pages() []*url.URL {
	if len(o.st.Admins) == 0 && o.st.Metrics != nil {
		return []*url.URL{o.st.Metrics}
	}
	return o.st.Admins
}

// operational are the routes that orchestrators and balancers ask at any time.
func operational(route string) bool {
	return route == "/health" || route == "/ready" || route == "/live"
}

// book enters one request into the counts.
func (o *outing) book(x *wire.Seen) {
	if o.counts == nil {
		return
	}
	e := observe.Entry{Method: x.Method, Route: x.Route, Status: x.Status}
	switch x.Class {
	case measure.None:
	case measure.DNS, measure.Connect, measure.TLS, measure.TimeoutConnect, measure.NoPorts, measure.FDLimit:
		o.counts.Unreached()
		return
	default:
		e.Status = 0
	}
	o.counts.Add(e, len(x.ID) > 0)
}
