package e2e

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	client "k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
)

// bridge is this machine as the pods see it.
const bridge = "10.88.0.1"

const (
	image = "docker.io/vitals/vitals:e2e"
	space = "load" // the members' namespace
)

// machine is one node with its control plane, and what the members need beside it.
type machine struct {
	dir, bin, vitals string
	admin            *client.Clientset
	submitter        string // kubeconfig of who may do what docs/fleet.md asks for, and no more
	redis            string // file with the URL that the controller uses
	server           *counting
}

// start starts everything and returns when the node is ready. What it starts ends
// with the namespaces that run.sh made.
func start(t *testing.T) *machine {
	t.Helper()
	m := &machine{dir: os.Getenv("E2E_K8S_DIR"), bin: os.Getenv("E2E_K8S_BIN"), vitals: os.Getenv("E2E_K8S_VITALS")}
	if m.dir == "" {
		t.Skip("a real Kubernetes is started by make e2e-k8s alone")
	}
	began := time.Now()
	admin := m.write(t, "admin.kubeconfig", kubeconfig("admin"))
	m.submitter = m.write(t, "submitter.kubeconfig", kubeconfig("submitter"))
	m.redis = m.write(t, "redis-url.txt", "redis://127.0.0.1:6379\n")
	key := m.write(t, "sa.key", privateKey(t))

	m.daemon(t, "redis-server", "redis-server", "--port", "6379", "--bind", "127.0.0.1", bridge, "--protected-mode", "no", "--save", "", "--dir", m.dir, "--maxmemory-policy", "noeviction")
	m.daemon(t, "etcd", "etcd", "--data-dir", m.dir+"/etcd", "--listen-client-urls", "http://127.0.0.1:2379", "--advertise-client-urls", "http://127.0.0.1:2379", "--listen-peer-urls", "http://127.0.0.1:2380")
	listens(t, "127.0.0.1:2379", time.Minute)
	m.daemon(t, "kube-apiserver", m.bin+"/kube-apiserver",
		"--etcd-servers", "http://127.0.0.1:2379", "--bind-address", "127.0.0.1", "--advertise-address", bridge, "--secure-port", "6443", "--cert-dir", m.dir+"/pki",
		"--service-cluster-ip-range", "10.96.0.0/24", "--endpoint-reconciler-type", "none", "--authorization-mode", "RBAC",
		"--token-auth-file", m.write(t, "tokens.csv", "admin,admin,admin,system:masters\nsubmitter,submitter,submitter\n"),
		"--service-account-issuer", "https://kubernetes.default.svc", "--service-account-key-file", key, "--service-account-signing-key-file", key)

	m.write(t, "net/10-bridge.conflist", `{"cniVersion": "0.4.0", "name": "pods", "plugins": [
  {"type": "bridge", "bridge": "cni0", "isGateway": true, "ipam": {"type": "host-local", "ranges": [[{"subnet": "10.88.0.0/24"}]]}}]}`)
	m.daemon(t, "containerd", "containerd", "--config", m.write(t, "containerd.toml", fmt.Sprintf(containerdConfig, m.dir)))
	listens(t, "unix:"+m.dir+"/containerd.sock", time.Minute)
	m.tool(t, "ctr", "--address", m.dir+"/containerd.sock", "--namespace", "k8s.io", "images", "import", "--snapshotter", "native", m.dir+"/images.tar")

	config, err := clientcmd.BuildConfigFromFlags("", admin)
	if err != nil {
		t.Fatal(err)
	}
	config.QPS, config.Burst = 100, 100
	m.admin = client.NewForConfigOrDie(config)
	until(t, 3*time.Minute, "the API server is ready", func(ctx context.Context) bool {
		_, err := m.admin.Discovery().RESTClient().Get().AbsPath("/readyz").DoRaw(ctx)
		return err == nil
	})
	t.Logf("API server ready after %s", time.Since(began).Round(time.Second))
	m.daemon(t, "kube-controller-manager", m.bin+"/kube-controller-manager", "--kubeconfig", admin, "--leader-elect=false", "--bind-address", "127.0.0.1", "--service-account-private-key-file", key)
	m.daemon(t, "kube-scheduler", m.bin+"/kube-scheduler", "--kubeconfig", admin, "--leader-elect=false", "--bind-address", "127.0.0.1")
	m.daemon(t, "kubelet", m.bin+"/kubelet", "--kubeconfig", admin, "--hostname-override", "node", "--node-ip", bridge, "--root-dir", m.dir+"/kubelet", "--cert-dir", m.dir+"/pki",
		"--config", m.write(t, "kubelet.yaml", fmt.Sprintf(kubeletConfig, m.dir, os.Getenv("E2E_K8S_CGROUP"))))
	until(t, 3*time.Minute, "the node is ready and takes pods", func(ctx context.Context) bool {
		node, err := m.admin.CoreV1().Nodes().Get(ctx, "node", metav1.GetOptions{})
		if err != nil || len(node.Spec.Taints) > 0 {
			return false
		}
		for _, c := range node.Status.Conditions {
			if c.Type == corev1.NodeReady {
				return c.Status == corev1.ConditionTrue
			}
		}
		return false
	})
	node, err := m.admin.CoreV1().Nodes().Get(t.Context(), "node", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	m.widen(t, node)
	info := node.Status.NodeInfo
	t.Logf("node ready after %s: kubelet %s on %s", time.Since(began).Round(time.Second), info.KubeletVersion, info.ContainerRuntimeVersion)
	return m
}

// widen lets the node say that it has the processors that four members of one whole
// processor each want: here they share what there is. The kubelet does not take it
// back, for it renews its status once an hour.
func (m *machine) widen(t *testing.T, node *corev1.Node) {
	t.Helper()
	eight := resource.MustParse("8")
	if have := node.Status.Allocatable[corev1.ResourceCPU]; have.Cmp(eight) >= 0 {
		return
	}
	node.Status.Capacity[corev1.ResourceCPU], node.Status.Allocatable[corev1.ResourceCPU] = eight, eight
	if _, err := m.admin.CoreV1().Nodes().UpdateStatus(t.Context(), node, metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
}

// daemon starts a program that is to run as long as the namespaces; its log is shown
// when the test fails.
func (m *machine) daemon(t *testing.T, name, program string, args ...string) {
	t.Helper()
	file := filepath.Join(m.dir, name+".log")
	log, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	cmd := exec.Command(program, args...)
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	t.Cleanup(func() {
		select {
		case err := <-ended:
			t.Errorf("%s ended: %v", name, err)
		default:
			_ = cmd.Process.Kill()
			<-ended
		}
		if t.Failed() {
			text, _ := os.ReadFile(file)
			t.Logf("the end of %s's log:\n%s", name, text[max(0, len(text)-3000):])
		}
	})
}

// tool runs a program to its end.
func (m *machine) tool(t *testing.T, program string, args ...string) {
	t.Helper()
	if text, err := exec.CommandContext(t.Context(), program, args...).CombinedOutput(); err != nil {
		t.Fatalf("%s %v: %v\n%s", program, args, err, text)
	}
}

// write writes a file of the machine's folder and gives its path.
func (m *machine) write(t *testing.T, name, text string) string {
	t.Helper()
	file := filepath.Join(m.dir, name)
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// until waits for a condition, and fails the test when it does not come in time.
func until(t *testing.T, limit time.Duration, what string, done func(ctx context.Context) bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	for !done(ctx) {
		select {
		case <-ctx.Done():
			t.Fatalf("not within %s: %s", limit, what)
		case <-time.After(100 * time.Millisecond):
		}
	}
}

func listens(t *testing.T, addr string, limit time.Duration) {
	t.Helper()
	network := "tcp"
	if file, ok := strings.CutPrefix(addr, "unix:"); ok {
		network, addr = "unix", file
	}
	until(t, limit, addr+" listens", func(context.Context) bool {
		c, err := net.Dial(network, addr)
		if err == nil {
			_ = c.Close()
		}
		return err == nil
	})
}

func privateKey(t *testing.T) string {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)}))
}

// kubeconfig is a user's, whose token is their name: the API server is reached from
// these namespaces alone.
func kubeconfig(user string) string {
	return fmt.Sprintf(`apiVersion: v1
kind: Config
clusters: [{name: e2e, cluster: {server: "https://127.0.0.1:6443", insecure-skip-tls-verify: true}}]
users: [{name: %[1]s, user: {token: %[1]s}}]
contexts: [{name: e2e, context: {cluster: e2e, user: %[1]s, namespace: %[2]s}}]
current-context: e2e
`, user, space)
}

const containerdConfig = `version = 2
root = "%[1]s/containerd"
state = "%[1]s/containerd-state"
[grpc]
  address = "%[1]s/containerd.sock"
[plugins."io.containerd.internal.v1.opt"]
  path = "%[1]s/opt"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "docker.io/vitals/pause:e2e"
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "native"
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "%[1]s/net"
`

const kubeletConfig = `apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
address: 127.0.0.1
authentication: {anonymous: {enabled: false}, webhook: {enabled: false}}
authorization: {mode: AlwaysAllow}
containerRuntimeEndpoint: unix://%[1]s/containerd.sock
podLogsDir: %[1]s/pods
cgroupDriver: cgroupfs
cgroupRoot: /%[2]s
failSwapOn: false
failCgroupV1: false
makeIPTablesUtilChains: false
resolvConf: ""
imageMinimumGCAge: 24h
nodeStatusUpdateFrequency: 1h
nodeStatusReportFrequency: 1h
evictionHard: {memory.available: 1Mi, nodefs.available: 1Mi, imagefs.available: 1Mi, nodefs.inodesFree: "1"}
`
