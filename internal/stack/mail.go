package stack

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

// Mailbox reads the newest mail to an address in a folder of .eml files, as the
// API writes them with MAIL_SINK=dir:…, waiting some seconds for one that no
// earlier call has returned.
func Mailbox(dir string) func(ctx context.Context, to string) (string, error) {
	var mu sync.Mutex
	returned := map[string]bool{}
	return func(ctx context.Context, to string) (string, error) {
		ctx, cancel := context.WithTimeout(ctx, 15*time.Second)
		defer cancel()
		for {
			names, err := fs.Glob(os.DirFS(dir), "*.eml")
			if err != nil {
				return "", err
			}
			for _, name := range slices.Backward(names) { // names sort by time
				mu.Lock()
				seen := returned[name]
				mu.Unlock()
				if seen {
					continue
				}
				text, err := os.ReadFile(filepath.Join(dir, name))
				if err != nil || !strings.Contains(string(text), "\r\nTo: "+to+"\r\n") || !strings.Contains(string(text), "token=") {
					continue
				}
				mu.Lock()
				returned[name] = true
				mu.Unlock()
				return string(text), nil
			}
			select {
			case <-ctx.Done():
				return "", fmt.Errorf("no mail to %s within 15 s", to)
			case <-time.After(50 * time.Millisecond):
			}
		}
	}
}
