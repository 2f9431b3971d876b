package harness

import (
	"fmt"
	"net/url"
	"strings"

	"vitals/internal/measure"
)

// traceMark is where a trace's id goes in the address of its page.
const traceMark = "{trace_id}"

// checkTraceURL says what is wrong with the address of a trace's page.
func checkTraceURL(text string) error {
	if text == "" {
		return nil
	}
	u, err := url.Parse(strings.ReplaceAll(text, traceMark, "0"))
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || !strings.Contains(text, traceMark) {
		return fmt.Errorf("--trace-url %q: want an http or https address with %s in it", text, traceMark)
	}
	if u.User != nil {
		return fmt.Errorf("--trace-url: it has a password in it, which would stand in every report")
	}
	return nil
}

// linkTraces tells where the requests that were kept whole are shown.
func linkTraces(res *measure.Result, page string) {
	if page == "" {
		return
	}
	for _, kept := range [][]measure.Exemplar{res.Slowest, res.Failures} {
		for i := range kept {
			if id := kept[i].TraceID; id != "" {
				kept[i].TraceURL = strings.ReplaceAll(page, traceMark, id)
			}
		}
	}
}
