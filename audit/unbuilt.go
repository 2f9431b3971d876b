package audit

// Unbuilt is a line of the checklist for which there is no probe yet. It is
// reported as skipped, with its reason, and never passes.
type Unbuilt struct {
	ID, Title, Seed, Reason string
	Class                   Class
}

// NotBuilt are the lines of hardening 3 without a probe.
func NotBuilt() []Unbuilt {
	const later = "no probe of this line is built yet"
	line := func(id, seed, title string) Unbuilt { return Unbuilt{id, title, seed, later, Control} }
	return []Unbuilt{
		line("LK9", "S1:159", "replicas and workers share one count"),
		line("LK10", "S1:159", "a lock survives Redis: restart, kill -9, FLUSHALL"),
		line("LK11", "S1:159", "a lock survives a restart of every API process"),
		line("LK12", "S1:159", "without Redis guessing stays limited, and nobody else notices"),
		line("LK18", "S1:339", "behind a trusted proxy the rightmost untrusted address counts"),
		line("LK19", "S1:156", "one /64 counts as one client"),
		line("LK26", "S1:155", "an outage of the database locks nobody out"),
		line("LK28", "S2:109", "honest users do not feel 2000 guesses a second"),
		line("LK29", "–", "an account guessed at from everywhere is throttled, its owner is not"),
		line("LK31", "S1:159", "every key in Redis expires, and none can be evicted"),
	}
}
