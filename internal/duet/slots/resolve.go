package slots

import (
	"context"

	"vitals/internal/baseline"
	"vitals/internal/stack"
)

// Resolve finds the build that a reference names: a vitals program, a git
// revision of this source tree, which is built, or an API image. Cleanup removes
// what was built, and is never nil.
func Resolve(ctx context.Context, ref string) (Build, func() error, error) {
	s, cleanup, err := stack.Resolve(ctx, ref)
	if err != nil {
		return Build{}, cleanup, err
	}
	return Build{Subject: baseline.Subject{Ref: s.Ref, GitRev: s.Rev}, Binary: s.Binary, Image: s.Image}, cleanup, nil
}
