package slots

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"vitals/internal/baseline"
)

// Resolve finds the build that a reference names: a vitals program on disk, or
// an API image. Cleanup removes what was made for it.
func Resolve(_ context.Context, ref string) (b Build, cleanup func(), err error) {
	b.Subject = baseline.Subject{Ref: ref}
	cleanup = func() {}
	info, err := os.Stat(ref)
	switch {
	case err == nil && info.IsDir():
		return b, cleanup, fmt.Errorf("%s is a folder: want a vitals program, an API image or a git revision", ref)
	case err == nil && info.Mode()&0o111 == 0:
		return b, cleanup, fmt.Errorf("%s is no program that may be started", ref)
	case err == nil:
		b.Binary, err = filepath.Abs(ref)
		return b, cleanup, err
	case strings.HasPrefix(ref, ".") || strings.HasPrefix(ref, "/"):
		return b, cleanup, err
	}
	b.Image = ref
	return b, cleanup, nil
}
