package audit

import (
	"fmt"
	"os"
	"strconv"
	"strings"
)

// rss is the memory of all API processes in bytes; 0 where it cannot be read.
func rss(api *API) int64 {
	total := int64(0)
	for _, pid := range api.PIDs() {
		b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
		if err != nil {
			return 0
		}
		_, after, _ := strings.Cut(string(b), "VmRSS:")
		if f := strings.Fields(after); len(f) > 0 {
			kb, _ := strconv.ParseInt(f[0], 10, 64) // the kernel's own number
			total += kb << 10
		}
	}
	return total
}
