package telemetry

import "github.com/getsentry/sentry-go"

// Hub lets a test play a framework that believes the client's trace header.
func (s *Sentry) Hub() *sentry.Hub { return s.hub.Clone() }

// Closed, ScrubEvent let a test break the scrubber.
func Closed(scrub func(*sentry.Event) *sentry.Event) func(*sentry.Event, *sentry.EventHint) *sentry.Event {
	return closed[*sentry.EventHint](scrub)
}

// ScrubEvent is the event scrubber itself.
func ScrubEvent(e *sentry.Event) *sentry.Event { return scrubEvent(e) }
