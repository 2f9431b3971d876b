package config

import (
	"fmt"
	"io"
	"net"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
)

// Line is one variable as it is in force. Secrets read "set(len=43)" or "unset".
type Line struct {
	Name   string `json:"name"`
	Value  string `json:"value"`
	Source string `json:"source"` // default, env or file
}

// Describe lists every variable in force, "auto" worked out, in the order of
// the documentation. It is what `vitals serve config` prints and what a report
// embeds.
func (c *Config) Describe() []Line {
	scratch := *c // the table binds to fields; c itself stays untouched
	table := variables(&scratch)
	lines := make([]Line, len(table))
	for i, v := range table {
		source := c.sources[v.name]
		if source == "" {
			source = "default"
		}
		lines[i] = Line{Name: v.name, Value: v.value.String(), Source: source}
	}
	return lines
}

// WriteText prints lines as a table for people.
func WriteText(w io.Writer, lines []Line) error {
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tw, "VARIABLE\tVALUE\tSOURCE")
	for _, l := range lines {
		fmt.Fprintf(tw, "%s\t%s\t%s\n", l.Name, l.Value, l.Source)
	}
	return tw.Flush() // its first error is kept to here
}

// Deviation is one difference from the published limits table. Values are counts, or seconds.
type Deviation struct {
	Variable  string `json:"variable"`
	Published string `json:"published"`
	InForce   string `json:"in_force"`
}

func (d Deviation) String() string {
	return fmt.Sprintf("%s=%s (published: %s)", d.Variable, d.InForce, d.Published)
}

// Deviations lists every difference from the published limits table: the five
// limits and windows, the 900 s lock, and the limiter being on. A result with
// any carries them as a banner.
func (c *Config) Deviations() []Deviation {
	var out []Deviation
	scratch := *c
	for _, v := range variables(&scratch) {
		if !slices.Contains(publishedTable, v.name) || v.value.String() == v.def {
			continue
		}
		out = append(out, Deviation{Variable: v.name, Published: v.def, InForce: v.value.String()})
	}
	return out
}

// publishedTable names the variables of the published table. Their defaults are
// its numbers, which a test holds against the guide.
var publishedTable = []string{
	"RATE_LIMIT_ENABLED",
	"RATE_LIMIT_LOGIN", "RATE_LIMIT_LOGIN_WINDOW",
	"RATE_LIMIT_2FA", "RATE_LIMIT_2FA_WINDOW",
	"RATE_LIMIT_PASSWORD_RESET", "RATE_LIMIT_PASSWORD_RESET_WINDOW",
	"RATE_LIMIT_PASSWORD_CHANGE", "RATE_LIMIT_PASSWORD_CHANGE_WINDOW",
	"RATE_LIMIT_API", "RATE_LIMIT_API_WINDOW",
	"RATE_LIMIT_LOCKOUT_DURATION",
}

// WriteMarkdown prints the table of all variables with defaults and rules, as
// docs/DEPLOYMENT.md carries it. † marks those that may come as NAME_FILE.
func WriteMarkdown(w io.Writer) error {
	var b strings.Builder
	b.WriteString("| variable | default | rule | in production |\n|---|---|---|---|\n")
	for _, v := range variables(&Config{}) {
		name := "`" + v.name + "`"
		if v.alias != "" {
			name += " (`" + v.alias + "`)"
		}
		if v.secret {
			name += " †"
		}
		def := v.shown
		if def == "" && v.def != "" {
			def = "`" + v.def + "`"
		}
		rule := v.rule
		if _, ok := v.value.(boolean); ok {
			rule = strings.TrimSuffix("true or false; "+rule, "; ")
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", name, def, rule, v.prod)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// adminPort is the port of a checked listen address, 0 if it has none.
func adminPort(addr string) int {
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		return 0
	}
	n, _ := strconv.Atoi(port) // listenAddr has checked it
	return n
}
