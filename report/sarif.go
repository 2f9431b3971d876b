package report

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"path/filepath"
	"slices"
	"strings"

	"vitals/internal/audit"
	"vitals/internal/profile"
)

// What is written of SARIF 2.1.0
// (https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html).
type (
	sarifLog struct {
		Schema  string     `json:"$schema"`
		Version string     `json:"version"`
		Runs    []sarifRun `json:"runs"`
	}
	sarifRun struct {
		Tool        sarifTool         `json:"tool"`
		Invocations []sarifInvocation `json:"invocations"`
		Results     []sarifResult     `json:"results"`
		Properties  map[string]string `json:"properties,omitempty"`
	}
	sarifTool struct {
		Driver sarifDriver `json:"driver"`
	}
	sarifDriver struct {
		Name           string      `json:"name"`
		InformationURI string      `json:"informationUri,omitempty"`
		Rules          []sarifRule `json:"rules"`
	}
	sarifRule struct {
		ID         string          `json:"id"`
		Short      sarifText       `json:"shortDescription"`
		Full       sarifText       `json:"fullDescription"`
		Help       sarifText       `json:"help"`
		Default    sarifConfig     `json:"defaultConfiguration"`
		Properties sarifProperties `json:"properties"`
	}
	sarifConfig struct {
		Level string `json:"level"`
	}
	sarifProperties struct {
		Tags     []string `json:"tags"`
		Severity string   `json:"security-severity,omitempty"`
	}
	sarifText struct {
		Text     string `json:"text"`
		Markdown string `json:"markdown,omitempty"`
	}
	sarifResult struct {
		RuleID       string            `json:"ruleId"`
		RuleIndex    int               `json:"ruleIndex"`
		Level        string            `json:"level"`
		Message      sarifText         `json:"message"`
		Locations    []sarifLocation   `json:"locations"`
		Fingerprints map[string]string `json:"partialFingerprints"`
		Properties   map[string]string `json:"properties,omitempty"`
	}
	sarifLocation struct {
		Physical sarifPhysical `json:"physicalLocation"`
	}
	sarifPhysical struct {
		Artifact sarifArtifact `json:"artifactLocation"`
		Region   sarifRegion   `json:"region"`
	}
	sarifArtifact struct {
		URI string `json:"uri"`
	}
	sarifRegion struct {
		StartLine int `json:"startLine"`
	}
	sarifInvocation struct {
		Successful    bool                `json:"executionSuccessful"`
		Notifications []sarifNotification `json:"toolExecutionNotifications,omitempty"`
	}
	sarifNotification struct {
		Level      string         `json:"level"`
		Message    sarifText      `json:"message"`
		Descriptor sarifReference `json:"associatedRule"`
	}
	sarifReference struct {
		ID    string `json:"id"`
		Index int    `json:"index"`
	}
)

// AuditSARIF renders the audit for code scanning: a result for each FAIL (error) and
// ADVICE (note), at the line of the repository that makes the promise; what was
// skipped is a notification. Hosts and figures are in no fingerprint, so that a
// finding stays the same one from run to run.
func AuditSARIF(w io.Writer, a *audit.Report) error {
	run := sarifRun{
		Tool:    sarifTool{Driver: sarifDriver{Name: "vitals audit", Rules: []sarifRule{}}},
		Results: []sarifResult{}, Properties: map[string]string{"target": a.Target, "profile": a.Profile},
	}
	index := map[string]int{}
	for i, p := range audit.Probes() {
		index[p.ID] = i
		run.Tool.Driver.Rules = append(run.Tool.Driver.Rules, sarifRuleOf(p))
	}
	call := sarifInvocation{Successful: !a.Partial}
	for _, f := range a.Findings {
		i, known := index[f.ID]
		if !known {
			return fmt.Errorf("write SARIF: no probe %q: the audit is of another version", f.ID)
		}
		switch f.Status {
		case audit.Fail, audit.Advice:
			run.Results = append(run.Results, sarifResultOf(f, i))
		case audit.Skip:
			how := "skipped: " + f.Reason
			if f.NotRun {
				how = f.Reason
			}
			call.Notifications = append(call.Notifications, sarifNotification{
				Level: "note", Message: sarifText{Text: fmt.Sprintf("%s was %s", f.ID, strip(how))}, Descriptor: sarifReference{f.ID, i},
			})
		}
	}
	run.Invocations = []sarifInvocation{call}
	e := json.NewEncoder(w)
	e.SetIndent("", " ")
	if err := e.Encode(sarifLog{"https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json", "2.1.0", []sarifRun{run}}); err != nil {
		return fmt.Errorf("write SARIF: %w", err)
	}
	return nil
}

func sarifRuleOf(p audit.Probe) sarifRule {
	severity, cwe, asvs := audit.Weight(p.ID)
	tags := []string{"security"}
	for _, n := range cwe {
		tags = append(tags, fmt.Sprintf("external/cwe/cwe-%d", n))
	}
	for _, id := range asvs {
		tags = append(tags, "ASVS-"+id)
	}
	level := "error"
	if severity == audit.Low {
		level = "warning"
	}
	return sarifRule{
		ID: p.ID, Short: sarifText{Text: p.Title}, Full: sarifText{Text: p.Why},
		Help:    sarifText{Text: p.Why + " " + p.Fix, Markdown: "**Why:** " + escape(p.Why) + "\n\n**Fix:** " + escape(p.Fix)},
		Default: sarifConfig{level}, Properties: sarifProperties{tags, severity.Score()},
	}
}

func sarifResultOf(f audit.Finding, index int) sarifResult {
	level, place, rests := "error", profile.Place{}, ""
	if f.Status == audit.Advice {
		level = "note"
	}
	if f.Basis != nil {
		place, rests = f.Basis.Place, f.Basis.String()
	}
	sum := sha256.Sum256([]byte(f.ID + "\x00" + promiseOf(f)))
	return sarifResult{
		RuleID: f.ID, RuleIndex: index, Level: level,
		Message:      sarifText{Text: fmt.Sprintf("%s (%s)\n%s", f.Title, rests, stripLines(words(f, "\n")))},
		Locations:    []sarifLocation{{sarifPhysical{sarifArtifact{repositoryPath(place.File)}, sarifRegion{max(1, place.Line)}}}},
		Fingerprints: map[string]string{"vitalsProbe/v1": hex.EncodeToString(sum[:])},
		Properties:   map[string]string{"severity": string(f.Severity)},
	}
}

// promiseOf is what a finding is about, whatever host it was seen on.
func promiseOf(f audit.Finding) string {
	if f.Basis == nil {
		return ""
	}
	return f.Basis.Promise + " " + f.Basis.Standard
}

// repositoryPath is a file as a repository names it: relative, with slashes. A file
// outside of it is named by its last part, for a viewer takes no other.
func repositoryPath(file string) string {
	p := filepath.ToSlash(filepath.Clean(file))
	if filepath.IsAbs(file) || strings.HasPrefix(p, "../") || p == "." {
		p = filepath.Base(p)
	}
	parts := strings.Split(p, "/")
	for i := range parts {
		parts[i] = url.PathEscape(parts[i])
	}
	return strings.Join(slices.DeleteFunc(parts, func(s string) bool { return s == "" }), "/")
}
