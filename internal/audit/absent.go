package audit

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"strings"

	"vitals/internal/profile"
	"vitals/internal/wire"
)

// Absent says in a sentence why what answers at the target is not the API of its
// profile, or is down; "" = it is, or nobody can tell. Every probe would say it
// again. It asks the health check, me without a token, and a path that is not there,
// each once; where all that it knows of both is a 404, also what else can be read. One
// answer that looks meant is enough.
func Absent(ctx context.Context, g *Target) string {
	c := wire.NewClient(g.URL, g.Forward, timeout)
	defer c.Close()
	c.Secure(g.TLS)
	ask := func(path string, header http.Header) Answer {
		q := Request{Method: http.MethodGet, Path: path, Header: header}
		if g.Forward && g.Source != nil {
			q.From = g.Source(0)
		}
		a, _ := c.Send(ctx, ready(&q)) // trouble is in the answer
		return Answer{Answer: a, Label: "GET " + path}
	}
	nowhere := ask("/vitals-audit-no-such-path", nil)
	var seen []string
	missing := 0
	for i, name := range []string{"health", "me", "ready", "live", "list"} {
		if i == 2 && (len(seen) != 1 || missing != 1) {
			break // both paths, or a server that is down, are enough to tell
		}
		op := g.Profile.Operations[name]
		m, err := g.Profile.Message(name, "", nil)
		if err != nil || m.Method != http.MethodGet {
			continue // it is not there, or needs more than is known
		}
		a := ask(m.Path, m.Header)
		alike := op.Succeeded(a.Status) && a.Status == nowhere.Status && bytes.Equal(a.Body, nowhere.Body)
		guarded := a.Status/100 == 4 && a.Status != http.StatusNotFound // somebody looked at it
		switch {
		case guarded || op.Succeeded(a.Status) && !alike || name == "me" && a.Status == op.Refusal():
			return ""
		case alike:
			seen = append(seen, fmt.Sprintf("GET %s is answered %s with what a path that is not there gets", m.Path, a.got()))
		case name == "me":
			seen = append(seen, fmt.Sprintf("GET %s without a token got %s, declared is %d", m.Path, a.got(), op.Refusal()))
		default:
			seen = append(seen, fmt.Sprintf("GET %s got %s, declared is %s", m.Path, a.got(), success(op)))
		}
		if a.Status == http.StatusNotFound {
			missing++
		}
	}
	return strings.Join(seen, "; ")
}

// success words the status of an operation's success.
func success(op profile.Operation) string {
	if op.OK == 0 {
		return "any of 2xx"
	}
	return fmt.Sprint(op.OK)
}
