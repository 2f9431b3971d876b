// Package machine tells what a run is taken on, so that figures of unlike machines
// are not compared.
package machine

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"runtime"
	"strings"

	"github.com/shirou/gopsutil/v4/cpu"
	"github.com/shirou/gopsutil/v4/host"
	"github.com/shirou/gopsutil/v4/mem"
)

// Machine is what a run was taken on.
type Machine struct {
	OS     string `json:"os"`
	Arch   string `json:"arch"`
	Kernel string `json:"kernel"`
	CPU    string `json:"cpu"`
	Cores  int    `json:"cores"`
	MemMiB int64  `json:"mem_mib"`
	Go     string `json:"go"`
	Class  string `json:"class"` // first 12 hex digits of the sha256 of the fields that must agree
}

// Read describes this machine. What cannot be read stays empty and so differs from
// a machine where it could.
func Read() Machine {
	m := Machine{OS: runtime.GOOS, Arch: runtime.GOARCH, Cores: runtime.NumCPU(), Go: runtime.Version()}
	if v, err := host.KernelVersion(); err == nil {
		m.Kernel = v
	}
	if c, err := cpu.Info(); err == nil && len(c) > 0 {
		m.CPU = strings.Join(strings.Fields(c[0].ModelName), " ")
	}
	if v, err := mem.VirtualMemory(); err == nil {
		m.MemMiB = int64(v.Total >> 20)
	}
	// The fields that must agree before absolute numbers are compared;
	// memory in whole GiB, for it differs by pages.
	hard := fmt.Sprintf("%s|%s|%s|%d|%d|%s", m.OS, m.Arch, m.CPU, m.Cores, (m.MemMiB+512)/1024, Minor(m.Kernel))
	sum := sha256.Sum256([]byte(hard))
	m.Class = hex.EncodeToString(sum[:])[:12]
	return m
}

// Minor cuts a version to major.minor.
func Minor(v string) string {
	parts := strings.SplitN(v, ".", 3)
	return strings.Join(parts[:min(2, len(parts))], ".")
}
