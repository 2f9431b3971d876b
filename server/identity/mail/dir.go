package mail

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/google/uuid"
)

// dir keeps every message as a file of its own; names sort by time.
type dir struct{ path string }

func newDir(path string) (dir, error) {
	if err := os.MkdirAll(path, 0o700); err != nil {
		return dir{}, fmt.Errorf("open mail sink: %w", err)
	}
	return dir{path}, nil
}

func (d dir) Send(_ context.Context, m Message) error {
	id, err := uuid.NewV7()
	if err != nil {
		return fmt.Errorf("write mail: %w", err)
	}
	text, err := render(m, "clinic@localhost", time.Now().Format(time.RFC1123Z), id.String()+"@localhost")
	if err != nil {
		return err
	}
	// A reader of the directory sees whole messages only.
	partial := filepath.Join(d.path, "."+id.String())
	if err := os.WriteFile(partial, text, 0o600); err != nil {
		return fmt.Errorf("write mail: %w", err)
	}
	if err := os.Rename(partial, filepath.Join(d.path, id.String()+".eml")); err != nil {
		return fmt.Errorf("write mail: %w", err)
	}
	return nil
}
