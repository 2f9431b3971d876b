package main

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/shirou/gopsutil/v4/cpu"
	"github.com/shirou/gopsutil/v4/host"
	"github.com/shirou/gopsutil/v4/mem"

	"vitals/report"
)

// machine is what this run is taken on. What cannot be read stays empty and so
// differs from a machine where it could.
func machine() report.Machine {
	m := report.Machine{OS: runtime.GOOS, Arch: runtime.GOARCH, Cores: runtime.NumCPU(), Go: runtime.Version()}
	if v, err := host.KernelVersion(); err == nil {
		m.Kernel = v
	}
	if c, err := cpu.Info(); err == nil && len(c) > 0 {
		m.CPU = strings.Join(strings.Fields(c[0].ModelName), " ")
	}
	if v, err := mem.VirtualMemory(); err == nil {
		m.MemMiB = int64(v.Total >> 20)
	}
	// The fields that must agree before absolute numbers are compared
	//; memory in whole GiB, for it differs by pages.
	hard := fmt.Sprintf("%s|%s|%s|%d|%d|%s", m.OS, m.Arch, m.CPU, m.Cores, (m.MemMiB+512)/1024, minor(m.Kernel))
	sum := sha256.Sum256([]byte(hard))
	m.Class = hex.EncodeToString(sum[:])[:12]
	return m
}

// minor cuts a version to major.minor.
func minor(v string) string {
	parts := strings.SplitN(v, ".", 3)
	return strings.Join(parts[:min(2, len(parts))], ".")
}

// subject names the version under test, when it is this very binary.
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
	if s.GitRev == "" { // built without version control information
		if out, err := exec.Command("git", "rev-parse", "HEAD").Output(); err == nil {
			s.GitRev = strings.TrimSpace(string(out))
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
