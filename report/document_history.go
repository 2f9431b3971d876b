package report

import (
	"html/template"

	"vitals/internal/baseline"
	"vitals/internal/baseline/history"
)

// History is the nights of the same scenarios, load and kind of machine, this session
// the last of them.
type History struct {
	Nights   []history.Night    `json:"nights"`
	Accepted []history.Accepted `json:"accepted,omitempty"`
}

// mostSessions bounds what a document holds of a long history.
const mostSessions = 100

// HistoryOf is what people are shown of a history beside a new session; nil when it has
// nothing of the same kind.
func HistoryOf(h *history.Store, now *baseline.File) *History {
	out := &History{Accepted: h.Accepted}
	with := h.With(now)
	for _, s := range with.Shown(false) {
		if len(s.Nights) > 1 && s.Nights[len(s.Nights)-1].Session == now.Session.ID {
			out.Nights = append(out.Nights, s.Nights[max(0, len(s.Nights)-mostSessions):]...)
		}
	}
	if len(out.Nights) == 0 {
		return nil
	}
	return out
}

// htmlHistory are the series of a document's history; nil without one.
func (h *History) html() []htmlSeries {
	if h == nil {
		return nil
	}
	store := &history.Store{Nights: h.Nights, Accepted: h.Accepted}
	series := store.Series()
	out := make([]htmlSeries, len(series))
	for i := range series {
		out[i] = seriesOf(store, &series[i])
	}
	return out
}

// seriesOf is one figure night by night, with what was found.
func seriesOf(h *history.Store, s *history.Series) htmlSeries {
	found := s.Findings()
	out := htmlSeries{
		Name: s.Metric + " " + s.Scenario, About: s.About(),
		SVG: historySVG(s, found), Nights: nightsOf(s),
	}
	if short := s.Short(); short != "" {
		out.Found = append(out.Found, short)
	}
	for _, f := range found {
		words := f.Words()
		if why := h.Reason(s.Nights[f.At].Session); f.Accepted && why != "" {
			words += ": " + why
		}
		out.Found = append(out.Found, words)
	}
	return out
}

type htmlSeries struct {
	Name, About string
	SVG         template.HTML
	Found       []string
	Nights      htmlGrid
}
