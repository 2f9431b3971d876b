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
		line("CF1", "S1:327", "weak or published secret keys refuse to start in production"),
		line("CF2", "S1:328", "dangerous settings refuse to start, all named at once"),
		line("CF3", "S1:39", "careless origins refuse to start in production"),
		line("CF4", "S2:14", "secrets come from files, and never from two places"),
		line("CF5", "S2:9", "no secret's bytes are in logs, settings, metrics or reports"),
		line("CF6", "S2:122", "as many workers run as the formula and the log say"),
		line("CF7", "S1:205", "the pool is logged as the guide says, and never larger than the database"),
		line("HL4", "S1:278", "/ready follows the database down and up"),
		line("HL5", "S1:265", "/live and /health answer with everything down"),
		line("HL6", "S1:279", "/ready stays good with every pool connection busy"),
		line("HL8", "S1:277", "a rolling stop loses no request"),
		line("RQ4", "S1:93", "every log line parses, with the guide's fields"),
		line("RQ5", "S1:246", "no credential reaches the log or the error reports"),
		line("CO5", "S1:33", "CORS_DISABLE sends no CORS header at all"),
		line("SH5", "S1:237", "an error of ours tells nothing of its cause"),
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
		line("DB1", "S1:179", "the pool is exactly as large as size plus overflow"),
		line("DB2", "S1:182", "a blocked pool answers 503 in time, and leaks nothing"),
		line("DB3", "S1:215", "killed connections cost no request"),
		line("DB4", "S1:186", "connections are recycled, staggered; -1 recycles none"),
		line("SE1", "S1:237", "a panic and an error each make one tagged event"),
		line("SE2", "S1:64", "sampling rates are kept, whatever the client asks"),
		line("SE3", "S1:223", "a hanging error service is not felt"),
	}
}
