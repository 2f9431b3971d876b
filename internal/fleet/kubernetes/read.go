package kubernetes

import (
	"os"
	"path/filepath"
	"strings"
)

// Read fills in the arguments of vitals run, a scenario first, and the texts of the
// files that they name: the scenario's own, unless it is built in, and files.
func (o *Job) Read(args, files []string) error {
	o.Args, o.Files = args, map[string]string{}
	for _, name := range append(files, args[0]) {
		text, err := os.ReadFile(name)
		switch {
		case err == nil:
			o.Files[filepath.Base(name)] = string(text)
		case name != args[0] || strings.ContainsRune(name, '.'): // a built-in scenario needs no file
			return err
		}
	}
	o.Args[0] = filepath.Base(args[0])
	return nil
}

// PlanFile is where a file that Add has read lies for the members.
func PlanFile(name string) string { return planDir + "/" + filepath.Base(name) }

// Add reads a file into Job.Files, by its base name.
func (o *Job) Add(name string) error {
	text, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	if o.Files == nil {
		o.Files = map[string]string{}
	}
	o.Files[filepath.Base(name)] = string(text)
	return nil
}
