// Package deploy holds what runs the clinic API: Prometheus' rules, Grafana's
// dashboard and Kubernetes' manifests. Its tests keep them, and the project's
// Docker files, true to the program.
package deploy
