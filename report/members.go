package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"vitals/internal/fleet"
)

// mostMembers are how many members a table shows: those that differ or are lost
// first, then by index.
const mostMembers = 16

// byMember is the table of whose shares a document was merged from; without rows
// when it was not.
func byMember(d *Document) grid {
	g := grid{title: "by member, judged window (lag = p99 of its own lateness)", cols: []column{
		{title: "member"}, {title: "host", words: true, spare: 3}, {title: "sent"}, {title: "p50", spare: 2}, {title: "p95"},
		{title: "errors"}, {title: "lag"}, {title: "cpu", spare: 1}, {title: "began late", spare: 4}, {title: "differs", words: true},
	}}
	ms := slices.Clone(d.Members)
	slices.SortStableFunc(ms, func(a, b fleet.Seen) int { return apart(a.Differs != "", b.Differs != "") })
	for i, m := range ms {
		if i == mostMembers {
			g.title += fmt.Sprintf(", %d of %d", mostMembers, len(ms))
			break
		}
		us := func(n int64) string { return took(time.Duration(n) * time.Microsecond) }
		g.rows = append(g.rows, []string{
			fmt.Sprint(m.Index), m.Host, count(m.Sent), us(m.P50US), us(m.P95US), percent(m.Errors), us(m.LagP99US), percent(m.CPU), us(m.LateUS), cmp.Or(m.Differs, ""),
		})
	}
	return g
}

// apart orders what stands out before the rest.
func apart(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return -1
	}
	return 1
}

// memberLines are the members of a run that goes on, a line each.
func (n Now) memberLines(room int) (lines []string) {
	if len(n.Members) == 0 {
		return nil
	}
	ms := slices.Clone(n.Members)
	odd := func(m fleet.Standing) bool { return m.Differs != "" || m.State == "lost" }
	slices.SortStableFunc(ms, func(a, b fleet.Standing) int { return apart(odd(a), odd(b)) })
	lines = append(lines, cut("  member  host          state         rate      p95   errors      lag  clock", room))
	for i, m := range ms {
		if i == mostMembers {
			lines = append(lines, fmt.Sprintf("  and %d more", len(ms)-i))
			break
		}
		p := m.Pulse
		state := m.State
		if m.Silent > 3*time.Second && state == "running" {
			state = "silent " + clock(m.Silent)
		}
		us := func(n int64) time.Duration { return time.Duration(n) * time.Microsecond }
		offset := fmt.Sprintf("%+.1f ms ± %.1f ms", float64(m.OffsetUS)/1000, float64(m.BoundUS)/1000)
		line := fmt.Sprintf("  %6d  %-12s  %-9s %8s %8s %8s %8s  %s", m.Index, cut(strip(m.Host), 12), state, perSecond(p.Rate), took(us(p.P95US)), share(p.Errors, p.Sent), took(us(p.LagP99US)), offset)
		if m.Differs != "" {
			line += "  DIFFERS: " + m.Differs
		}
		lines = append(lines, cut(line, room))
	}
	return lines
}

// memberWords are the members in a few words; "" without any.
func (n Now) memberWords() string {
	if len(n.Members) == 0 {
		return ""
	}
	states := map[string]int{}
	var differ []string
	for _, m := range n.Members {
		states[m.State]++
		if m.Differs != "" {
			differ = append(differ, fmt.Sprintf("member %d differs", m.Index))
		}
	}
	var words []string
	for _, s := range sortedKeys(states) {
		words = append(words, fmt.Sprintf("%d %s", states[s], s))
	}
	return "members " + strings.Join(append(words, differ...), ", ")
}
