package harness

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"os"
	"runtime/debug"

	"vitals/report"
)

// subject names the version under test when it is this very program. The revision
// is what the program was built from; where it was started from says nothing.
func subject(binary string) report.Subject {
	var s report.Subject
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
