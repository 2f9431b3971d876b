package kubernetes

import (
	"fmt"
	"os"
	"path/filepath"
)

// PlanFile is where a file that Add has read lies for the members.
func PlanFile(name string) string { return planDir + "/" + filepath.Base(name) }

// Add reads a file into Job.Files, by its base name. Two files of one base name are
// an error.
func (o *Job) Add(name string) error {
	text, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	base := filepath.Base(name)
	if before, there := o.Files[base]; there && before != string(text) {
		return fmt.Errorf("%s: another file of the run is called %s too: the members find them in one folder", name, base)
	}
	if o.Files == nil {
		o.Files = map[string]string{}
	}
	o.Files[base] = string(text)
	return nil
}
