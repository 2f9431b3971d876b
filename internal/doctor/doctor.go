// Package doctor looks at the machine that Vitals is to run on: what is there,
// what is missing, and what to do about it. It starts nothing and sends nothing
// beyond loopback and the Docker socket.
package doctor

import (
	"context"
	"fmt"
	"io"
	"os"
	"time"

	"vitals/internal/exit"
	"vitals/internal/stack/containers"
)

// Status of one finding.
type Status string

// The statuses: Missing keeps the asked stack from running, Note makes figures
// worse or a part of Vitals unavailable.
const (
	OK      Status = "ok"
	Note    Status = "note"
	Missing Status = "missing"
)

// Finding is one thing that was looked at.
type Finding struct {
	Status Status
	What   string // docker, descriptors, clock …
	Found  string
	Do     string // what to do; "" when it is well
}

// Options of an examination.
type Options struct {
	Stack  string // the stack that must be able to run: embedded or containers
	Images containers.Images
}

// Examine looks at everything. It takes about a second, for the processor has to
// be watched for a while.
func Examine(ctx context.Context, o Options) []Finding {
	findings := []Finding{
		processor(watch(ctx, time.Second)),
		clock(ticks(ctx), clockSource()),
		descriptors(descriptorLimit()),
		ports(portRange()),
		sources(sourceError()),
		memory(available(ctx)),
		folder(os.TempDir(), freeSpace(ctx, os.TempDir())),
	}
	if base := memoryFolder(); base != "" {
		findings = append(findings, folder(base, freeSpace(ctx, base)))
	}
	found, err := containers.Examine(ctx, o.Images)
	findings = append(findings, docker(o.Stack == "containers", found, err)...)
	return append(findings, programs()...)
}

// Well tells whether nothing is missing.
func Well(fs []Finding) bool {
	for _, f := range fs {
		if f.Status == Missing {
			return false
		}
	}
	return true
}

// Print writes the findings, one below the other, and what is to be done.
func Print(w io.Writer, fs []Finding) error {
	for _, f := range fs {
		if _, err := fmt.Fprintf(w, "%-8s %-12s %s\n", f.Status, f.What, f.Found); err != nil {
			return err
		}
		if f.Do != "" {
			if _, err := fmt.Fprintf(w, "%22s%s\n", "→ ", f.Do); err != nil {
				return err
			}
		}
	}
	return nil
}

// Tell prints the findings. When something is missing it gives an error with its
// exit code that says what cannot be done.
func Tell(w io.Writer, fs []Finding, cannot string) error {
	if err := Print(w, fs); err != nil {
		return exit.Errorf(exit.NoSystem, "print the findings: %w", err)
	}
	if !Well(fs) {
		return exit.Errorf(exit.NoSystem, "%s", cannot)
	}
	return nil
}
