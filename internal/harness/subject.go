package harness

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"os"
	"runtime/debug"

	"vitals/internal/stack"
	"vitals/report"
)

// subject names the version under test of a stack of ours: that of the image that was
// named, as its own labels tell it, or else this very program. The revision is what
// the program was built from; where it was started from says nothing.
func subject(binary string, st *stack.Stack) report.Subject {
	var s report.Subject
	if st.Labels != nil {
		return report.Subject{
			GitRev: st.Labels["org.opencontainers.image.revision"], Version: st.Labels["org.opencontainers.image.version"], Image: st.Images["api"],
		}
	}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, kv := range info.Settings {
			switch kv.Key {
			case "vcs.revision":
				s.GitRev = kv.Value
			case "vcs.modified":
				s.Dirty = kv.Value == "true"
			}
		}
	}
	if f, err := os.Open(binary); err == nil {
		defer f.Close()
		h := sha256.New()
		if _, err := io.Copy(h, f); err == nil {
			s.SHA256 = hex.EncodeToString(h.Sum(nil))
		}
	}
	return s
}
