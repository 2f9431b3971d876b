package harness

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"vitals/internal/exit"
	"vitals/internal/load"
	"vitals/internal/stack"
)

// Once sends each task of each journey of a plan's scenarios once, and prints every
// request and answer, secrets taken out. Nothing is measured and no attacker works. An
// error is an *exit.Error: a step that did not go as expected fails it.
func Once(ctx context.Context, p *Plan, s Streams) error {
	st, err := p.starter(s).Start(ctx)
	if err != nil {
		return startError(ctx, err)
	}
	defer closeStack(st, s)
	sent, wrong, unsent := 0, 0, 0
	for _, sc := range p.scenarios {
		if _, err := fmt.Fprintf(s.Out, "%s, each task once against %s\n", sc.Name, st.URL.Redacted()); err != nil {
			return exit.With(exit.NoAnswer, fmt.Errorf("print: %w", err))
		}
		var printed error
		opt := load.Options{
			Base: st.URL, Replicas: st.Replicas, Accounts: honest(st.Accounts), Pace: p.o.Pace, Seed: p.o.Seed,
			Source: homes(st.Source, stack.FirstAddress(time.Now())), Forward: st.Forward, TLS: p.tls,
		}
		err := load.Once(ctx, sc, opt, func(x load.Exchange) {
			switch {
			case x.Unsent:
				unsent++
			default:
				sent++
				if x.Why != "" {
					wrong++
				}
			}
			if printed == nil {
				printed = printExchange(s.Out, x)
			}
		})
		switch {
		case ctx.Err() != nil:
			return exit.Errorf(exit.Interrupted, "interrupted")
		case err != nil:
			return exit.With(exit.NoAnswer, err)
		case printed != nil:
			return exit.With(exit.NoAnswer, fmt.Errorf("print: %w", printed))
		}
	}
	words := fmt.Sprintf("%s sent, %d not as expected, %d not sent", count(sent, "request"), wrong, unsent)
	if wrong+unsent > 0 {
		return exit.Errorf(exit.Fail, "%s", words)
	}
	if _, err := fmt.Fprintln(s.Out, words); err != nil {
		return exit.With(exit.NoAnswer, fmt.Errorf("print: %w", err))
	}
	return nil
}

// printExchange writes one request and its answer.
func printExchange(w io.Writer, x load.Exchange) error {
	var b strings.Builder
	fmt.Fprintf(&b, "\n%s: %s", x.Journey, x.Step)
	switch {
	case x.Unsent:
		fmt.Fprintf(&b, ": not sent, %s\n", x.Why)
	case x.Why != "":
		fmt.Fprintf(&b, ": NOT AS EXPECTED, %s\n", x.Why)
	default:
		fmt.Fprintf(&b, ": as expected, %v\n", x.Took.Round(100*time.Microsecond))
	}
	for _, part := range []struct{ mark, text string }{{"  > ", x.Sent}, {"  < ", x.Got}} {
		for line := range strings.SplitSeq(strings.TrimSpace(part.text), "\n") {
			if line = strings.TrimRight(line, "\r"); line != "" {
				b.WriteString(part.mark + printable(line) + "\n")
			}
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// printable takes what would move a terminal's cursor out of a text.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' && r != '\t' || r >= 0x7f && r < 0xa0 {
			return '\uFFFD'
		}
		return r
	}, text)
}
