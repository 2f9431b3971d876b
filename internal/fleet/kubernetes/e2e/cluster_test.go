package e2e

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"vitals/report"
)

// prepare makes the namespace as docs/fleet.md says: the restricted standard is
// enforced, the secrets are there, and the submitter may do what it needs.
func (m *machine) prepare(t *testing.T) {
	t.Helper()
	ctx, core := t.Context(), m.admin.CoreV1()
	must := func(_ any, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(core.Namespaces().Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{
		Name: space, Labels: map[string]string{"pod-security.kubernetes.io/enforce": "restricted"},
	}}, metav1.CreateOptions{}))
	for name, data := range map[string]map[string]string{
		"meeting": {"url": "redis://" + bridge + ":6379\n"}, "accounts": {"accounts.csv": m.server.accounts()},
	} {
		must(core.Secrets(space).Create(ctx, &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: name}, StringData: data}, metav1.CreateOptions{}))
	}
	verbs := []string{"create", "get", "delete"}
	must(m.admin.RbacV1().Roles(space).Create(ctx, &rbacv1.Role{
		ObjectMeta: metav1.ObjectMeta{Name: "submitter"},
		Rules: []rbacv1.PolicyRule{
			{APIGroups: []string{"batch"}, Resources: []string{"jobs"}, Verbs: verbs},
			{APIGroups: []string{""}, Resources: []string{"configmaps"}, Verbs: verbs},
		},
	}, metav1.CreateOptions{}))
	must(m.admin.RbacV1().RoleBindings(space).Create(ctx, &rbacv1.RoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: "submitter"},
		Subjects:   []rbacv1.Subject{{Kind: "User", Name: "submitter"}},
		RoleRef:    rbacv1.RoleRef{Kind: "Role", Name: "submitter"},
	}, metav1.CreateOptions{}))
	until(t, time.Minute, "the namespace has its service account", func(ctx context.Context) bool {
		_, err := core.ServiceAccounts(space).Get(ctx, "default", metav1.GetOptions{})
		return err == nil
	})
}

// limitPods lets the namespace hold so many pods.
func (m *machine) limitPods(t *testing.T, n int64) {
	t.Helper()
	ctx, quotas := t.Context(), m.admin.CoreV1().ResourceQuotas(space)
	quota := &corev1.ResourceQuota{ObjectMeta: metav1.ObjectMeta{Name: "pods"}, Spec: corev1.ResourceQuotaSpec{Hard: corev1.ResourceList{corev1.ResourcePods: *resource.NewQuantity(n, resource.DecimalSI)}}}
	_, err := quotas.Create(ctx, quota, metav1.CreateOptions{})
	if err != nil {
		_, err = quotas.Update(ctx, quota, metav1.UpdateOptions{})
	}
	if err != nil {
		t.Fatal(err)
	}
}

// evict asks that a pod leave, as a drain of its node does.
func (m *machine) evict(t *testing.T, pod corev1.Pod) {
	t.Helper()
	if err := m.admin.CoreV1().Pods(space).EvictV1(t.Context(), &policyv1.Eviction{ObjectMeta: metav1.ObjectMeta{Name: pod.Name, Namespace: space}}); err != nil {
		t.Fatal(err)
	}
}

// pods are those of the namespace now, by index.
func (m *machine) pods(ctx context.Context) (out []corev1.Pod) {
	list, err := m.admin.CoreV1().Pods(space).List(ctx, metav1.ListOptions{})
	if err == nil {
		out = list.Items
	}
	slices.SortFunc(out, func(a, b corev1.Pod) int { return bytes.Compare([]byte(a.Name), []byte(b.Name)) })
	return out
}

// run is one vitals fleet run under way.
type run struct {
	m     *machine
	id    string
	out   string
	cmd   *exec.Cmd
	talk  lockedBuffer
	ended chan struct{}
	watch context.CancelFunc

	mu   sync.Mutex
	pods map[types.UID]corev1.Pod // each that was there, as it was last
}

// fleet starts a run of four members of so many seconds.
func (m *machine) fleet(t *testing.T, id string, seconds int, more ...string) *run {
	t.Helper()
	m.server.forget()
	r := &run{m: m, id: id, out: filepath.Join(m.dir, "out-"+id), ended: make(chan struct{}), pods: map[types.UID]corev1.Pod{}}
	args := []string{"fleet", "run", m.write(t, id+"/numbered.yaml", scenario(seconds)), "--engine", "kubernetes", "--run-id", id, "--workers", "4",
		"--image", image, "--rendezvous-secret", "meeting", "--accounts-secret", "accounts", "--rendezvous-file", m.redis, "--kubeconfig", m.submitter,
		"--url", m.server.url, "--quiet", "--out", r.out}
	r.cmd = exec.Command(m.vitals, append(args, more...)...)
	r.cmd.Stdout, r.cmd.Stderr = &r.talk, &r.talk
	if err := r.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var ctx context.Context
	ctx, r.watch = context.WithCancel(t.Context())
	go r.see(ctx)
	go func() { _ = r.cmd.Wait(); close(r.ended) }()
	t.Cleanup(func() {
		_ = r.cmd.Process.Kill()
		<-r.ended
		r.watch()
		t.Logf("%s: exit %d\n%s", id, r.cmd.ProcessState.ExitCode(), r.talk.String())
	})
	return r
}

// see remembers every pod of the namespace.
func (r *run) see(ctx context.Context) {
	for ctx.Err() == nil {
		w, err := r.m.admin.CoreV1().Pods(space).Watch(ctx, metav1.ListOptions{})
		if err != nil {
			continue
		}
		for e := range w.ResultChan() {
			if pod, ok := e.Object.(*corev1.Pod); ok {
				r.mu.Lock()
				r.pods[pod.UID] = *pod
				r.mu.Unlock()
			}
		}
	}
}

// seen are all pods that were there.
func (r *run) seen() (out []corev1.Pod) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, p := range r.pods {
		out = append(out, p)
	}
	return out
}

// member is a pod of the index that runs.
func (r *run) member(index string) (running corev1.Pod, ok bool) {
	for _, p := range r.seen() {
		if p.Labels["batch.kubernetes.io/job-completion-index"] == index && p.Status.Phase == corev1.PodRunning && p.DeletionTimestamp == nil {
			return p, true
		}
	}
	return running, false
}

// end waits until the command has ended and no pod is left, and gives its exit code
// and its document, nil when there is none.
func (r *run) end(t *testing.T) (int, *report.Document) {
	t.Helper()
	until(t, 4*time.Minute, "the run ends", func(context.Context) bool {
		select {
		case <-r.ended:
			return true
		default:
			return false
		}
	})
	until(t, 2*time.Minute, "no pod is left", func(ctx context.Context) bool { return len(r.m.pods(ctx)) == 0 })
	file := filepath.Join(r.out, "document.json")
	if _, err := os.Stat(file); err != nil {
		return r.cmd.ProcessState.ExitCode(), nil
	}
	d, err := report.Read(file)
	if err != nil {
		t.Fatal(err)
	}
	return r.cmd.ProcessState.ExitCode(), d
}

// loaded waits until the load goes on.
func (r *run) loaded(t *testing.T) {
	t.Helper()
	until(t, 3*time.Minute, "the load goes on", func(context.Context) bool {
		_, distinct := r.m.server.requests()
		return distinct > 2*rate
	})
}

// lockedBuffer is written by a process and read meanwhile.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
