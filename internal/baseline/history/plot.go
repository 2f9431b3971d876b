package history

import (
	"fmt"
	"math"
	"strings"

	"vitals/internal/baseline"
)

// plotRows is the height of a plot.
const plotRows = 8

// Range is what an axis of the nights' means shows, with some room above and below. A
// metric on the log scale has at least 1 % of it; a share is never below nothing.
func (s *Series) Range(nights []Night) (low, high float64) {
	low, high = math.Inf(1), math.Inf(-1)
	for _, n := range nights {
		low, high = min(low, n.Mean), max(high, n.Mean)
	}
	room := (high - low) * 0.05
	if baseline.Logarithmic(s.Metric) {
		room = max(room, 0.01)
		return low - room, high + room
	}
	room = max(room, 0.001)
	return max(0, low-room), high + room
}

// Plot draws the newest nights of a series, one column each, with a mark under
// the first night of each new level: ^ for a change point, ? for a suspicion,
// a for an accepted change. A metric on the log scale is shown as the figure
// itself.
func (s *Series) Plot(width int) string {
	from := max(0, len(s.Nights)-max(10, width-12))
	nights := s.Nights[from:]
	if len(nights) == 0 {
		return ""
	}
	low, high := s.Range(nights)
	var b strings.Builder
	for row := range plotRows {
		top := high - (high-low)*float64(row)/plotRows
		bottom := high - (high-low)*float64(row+1)/plotRows
		label := ""
		switch row {
		case 0:
			label = s.Figure(high)
		case plotRows - 1:
			label = s.Figure(low)
		}
		fmt.Fprintf(&b, "%10s │", label)
		for _, n := range nights {
			if n.Mean <= top && (n.Mean > bottom || row == plotRows-1) {
				b.WriteByte('*')
			} else {
				b.WriteByte(' ')
			}
		}
		b.WriteByte('\n')
	}
	marks := []byte(strings.Repeat(" ", len(nights)))
	for _, f := range s.Findings() {
		if at := f.At - from; at >= 0 {
			marks[at] = f.mark()
		}
	}
	fmt.Fprintf(&b, "%10s └%s\n", "", strings.Repeat("─", len(nights)))
	if line := strings.TrimRight(string(marks), " "); line != "" {
		fmt.Fprintf(&b, "%10s  %s\n", "", line)
	}
	return b.String()
}

func (f Finding) mark() byte {
	switch {
	case f.Accepted:
		return 'a'
	case f.Suspect:
		return '?'
	}
	return '^'
}

// Figure is a mean of the series as people read it.
func (s *Series) Figure(mean float64) string {
	switch s.Metric {
	case "errors":
		return fmt.Sprintf("%.2f %%", 100*max(0, mean))
	case "p50", "p95", "p99":
		return fmt.Sprintf("%.4g ms", math.Exp(mean)/1000)
	case "cpu", "achieved":
		return fmt.Sprintf("%.1f %%", 100*math.Exp(mean))
	case "cpu per request":
		return fmt.Sprintf("%.4g us", math.Exp(mean))
	case "rps":
		return fmt.Sprintf("%.4g/s", math.Exp(mean))
	case "memory":
		return fmt.Sprintf("%.4g MiB", math.Exp(mean)/(1<<20))
	}
	return fmt.Sprintf("%.4g", math.Exp(mean))
}
