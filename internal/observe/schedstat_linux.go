package observe

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"time"
)

// waited is for how long the threads of a process were ready to run and did not,
// because no processor was theirs: others had it, or a limit stopped them. False where
// the kernel does not say.
func waited(pid int) (time.Duration, bool) {
	files, _ := filepath.Glob(filepath.Join("/proc", strconv.Itoa(pid), "task", "*", "schedstat"))
	var sum int64
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			continue // the thread has ended
		}
		fields := bytes.Fields(text) // ns that it ran, ns that it waited, times that it ran
		if len(fields) < 2 {
			return 0, false
		}
		ns, err := strconv.ParseInt(string(fields[1]), 10, 64)
		if err != nil {
			return 0, false
		}
		sum += ns
	}
	return time.Duration(sum), len(files) > 0
}

// WaitedIn is what the process with that id waited for a processor, if it is in the
// container: an engine elsewhere counts other processes than this machine.
func WaitedIn(pid int, container string) (time.Duration, bool) {
	text, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "cgroup"))
	if err != nil || container == "" || !bytes.Contains(text, []byte(container)) {
		return 0, false
	}
	return waited(pid)
}
