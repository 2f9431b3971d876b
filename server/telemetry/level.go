package telemetry

import (
	"fmt"
	"log/slog"
	"strings"
)

// LevelCritical is one step above ERROR: the service cannot go on.
const LevelCritical = slog.LevelError + 4

// levelNames is the closed set of LOG_LEVEL words, lowest first.
var levelNames = []struct {
	name  string
	level slog.Level
}{
	{"DEBUG", slog.LevelDebug},
	{"INFO", slog.LevelInfo},
	{"WARNING", slog.LevelWarn},
	{"ERROR", slog.LevelError},
	{"CRITICAL", LevelCritical},
}

// ParseLevel reads one of the words of LOG_LEVEL, in any case.
func ParseLevel(word string) (slog.Level, error) {
	for _, l := range levelNames {
		if strings.EqualFold(word, l.name) {
			return l.level, nil
		}
	}
	return 0, fmt.Errorf("unknown log level %q: want DEBUG, INFO, WARNING, ERROR or CRITICAL", word)
}

// LevelName is the published word for a level; a level between two
// words takes the lower.
func LevelName(l slog.Level) string {
	name := levelNames[0].name
	for _, known := range levelNames {
		if l >= known.level {
			name = known.name
		}
	}
	return name
}
