// Package e2e runs vitals fleet on a real Kubernetes: API server, controllers,
// scheduler and kubelet of the version that go.mod of ../validation names, with etcd
// and containerd, all on this machine. make e2e-k8s builds it and runs its tests in
// namespaces of their own; go test skips them.
package e2e
