package harness

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"

	"vitals/internal/exit"
	"vitals/report"
)

// Quiet makes one run of many, which nobody watches: what it would say on the
// terminal goes into talk.log in its folder. A run that was interrupted is an
// error as well: half of it says nothing.
func Quiet(drain, kill context.Context, o Options) (*report.Document, error) {
	p, err := Read(o)
	if err != nil {
		return nil, exit.With(exit.Usage, err)
	}
	if err := os.MkdirAll(o.Out, 0o755); err != nil {
		return nil, exit.With(exit.NoAnswer, err)
	}
	talk, err := os.Create(filepath.Join(o.Out, "talk.log"))
	if err != nil {
		return nil, exit.With(exit.NoAnswer, err)
	}
	defer talk.Close()
	d, err := Run(drain, kill, p, Streams{Out: io.Discard, Err: talk})
	switch {
	case err != nil:
		return nil, err
	case drain.Err() != nil || d.Partial:
		return nil, exit.With(exit.Interrupted, errors.New("interrupted"))
	}
	return d, nil
}
