// Command dist makes what a release consists of, into one folder: static programs
// for each system, their checksums, an SBOM, the licences of everything in them,
// manual pages and shell completions. It reads modules from the module cache and
// asks no network that the cache can do without.
package main

import (
	"crypto/sha256"
	"debug/buildinfo"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
)

// systems are what a release is built for.
var systems = []string{"linux/amd64", "linux/arm64", "darwin/amd64", "darwin/arm64", "windows/amd64", "windows/arm64"}

func main() {
	out := flag.String("out", "out/dist", "folder for the release")
	version := flag.String("version", "dev", "version that the programs tell")
	only := flag.String("systems", strings.Join(systems, ","), "systems to build for, as os/arch")
	flag.Parse()
	if err := release(*out, *version, strings.Split(*only, ",")); err != nil {
		fmt.Fprintln(os.Stderr, "dist:", err)
		os.Exit(1)
	}
}

// release makes all of it. The SBOM and the licences cover every system's program.
func release(out, version string, systems []string) error {
	if err := os.MkdirAll(out, 0o755); err != nil {
		return err
	}
	var names []string
	var parts []part
	for _, system := range systems {
		name, err := build(out, version, system)
		if err != nil {
			return err
		}
		names = append(names, name)
		info, err := buildinfo.ReadFile(filepath.Join(out, name))
		if err != nil {
			return fmt.Errorf("read what is in %s: %w", name, err)
		}
		parts = append(parts, partsOf(info)...)
	}
	parts = distinct(parts)
	if err := locate(parts); err != nil {
		return err
	}
	for name, write := range map[string]func(io.Writer) error{
		"vitals.cdx.json": func(w io.Writer) error { return sbom(w, version, parts) },
		"LICENCES.txt":    func(w io.Writer) error { return licences(w, parts) },
	} {
		if err := file(filepath.Join(out, name), write); err != nil {
			return err
		}
		names = append(names, name)
	}
	if err := pages(out, version); err != nil {
		return err
	}
	slices.Sort(names)
	return file(filepath.Join(out, "SHA256SUMS"), func(w io.Writer) error { return checksums(w, out, names) })
}

func file(name string, write func(io.Writer) error) error {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	return errors.Join(write(f), f.Close())
}

// build builds one static program and gives its name.
func build(out, version, system string) (string, error) {
	goos, goarch, ok := strings.Cut(system, "/")
	if !ok {
		return "", fmt.Errorf("system %q: want os/arch", system)
	}
	name := "vitals-" + goos + "-" + goarch
	if goos == "windows" {
		name += ".exe"
	}
	return name, program(filepath.Join(out, name), version, goos, goarch)
}

func program(path, version, goos, goarch string) error {
	cmd := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w -X main.version="+version, "-o", path, "vitals/cmd/vitals")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS="+goos, "GOARCH="+goarch)
	if text, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build for %s/%s: %w: %s", goos, goarch, err, text)
	}
	return nil
}

// pages writes manual pages and completions, which the program itself makes.
func pages(out, version string) (err error) {
	dir, err := os.MkdirTemp("", "vitals-dist-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	bin := filepath.Join(dir, "vitals")
	if err := program(bin, version, runtime.GOOS, runtime.GOARCH); err != nil {
		return err
	}
	if text, err := exec.Command(bin, "man", filepath.Join(out, "man")).CombinedOutput(); err != nil {
		return fmt.Errorf("write manual pages: %w: %s", err, text)
	}
	shells := filepath.Join(out, "completions")
	if err := os.MkdirAll(shells, 0o755); err != nil {
		return err
	}
	for _, shell := range []string{"bash", "zsh", "fish", "powershell"} {
		text, err := exec.Command(bin, "completion", shell).Output()
		if err != nil {
			return fmt.Errorf("write the completion for %s: %w", shell, err)
		}
		if err := os.WriteFile(filepath.Join(shells, "vitals."+shell), text, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// checksums writes the sums as sha256sum -c reads them.
func checksums(w io.Writer, dir string, names []string) error {
	for _, name := range names {
		f, err := os.Open(filepath.Join(dir, name))
		if err != nil {
			return err
		}
		h := sha256.New()
		_, err = io.Copy(h, f)
		if err = errors.Join(err, f.Close()); err != nil {
			return err
		}
		if _, err := fmt.Fprintf(w, "%s  %s\n", hex.EncodeToString(h.Sum(nil)), name); err != nil {
			return err
		}
	}
	return nil
}
