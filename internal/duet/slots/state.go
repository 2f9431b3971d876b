package slots

import (
	"os"
	"path/filepath"
)

// StateDir is where what was learned of this machine is kept.
func StateDir() string {
	if dir := os.Getenv("VITALS_STATE"); dir != "" {
		return dir
	}
	dir, err := os.UserCacheDir()
	if err != nil {
		return ".vitals"
	}
	return filepath.Join(dir, "vitals")
}
