package kubernetes

import (
	"bytes"
	"strings"
	"testing"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"
)

func options() Job {
	return Job{
		Name: "peak-1", Namespace: "load", Image: "example.org/vitals@sha256:abc", Workers: 4, CPUs: 1,
		Args:  []string{"peak", "--url", "https://staging.example.org", "--i-own", "staging.example.org"},
		Files: map[string]string{"peak.yaml": "name: peak\n"}, Accounts: "test-accounts", Meeting: "rendezvous",
		Deadline: 20 * time.Minute,
	}
}

// render decodes what was rendered as strictly as the API server does.
func render(t *testing.T, o Job) (corev1.ConfigMap, batchv1.Job) {
	t.Helper()
	text, err := Render(o)
	if err != nil {
		t.Fatal(err)
	}
	parts := bytes.Split(text, []byte("---\n"))
	if len(parts) != 2 {
		t.Fatalf("got %d objects, want 2", len(parts))
	}
	var c corev1.ConfigMap
	var j batchv1.Job
	if err := yaml.UnmarshalStrict(parts[0], &c); err != nil {
		t.Fatal(err)
	}
	if err := yaml.UnmarshalStrict(parts[1], &j); err != nil {
		t.Fatal(err)
	}
	return c, j
}

// A member is never started twice, a job never goes on for ever, and what an exit
// code means is the job's policy.
func TestJobStartsEachMemberOnce(t *testing.T) {
	o := options()
	o.MaxLost = 1
	_, j := render(t, o)
	s := j.Spec
	if *s.CompletionMode != batchv1.IndexedCompletion || *s.Completions != 4 || *s.Parallelism != 4 || *s.BackoffLimitPerIndex != 0 ||
		*s.MaxFailedIndexes != 1 || *s.PodReplacementPolicy != batchv1.Failed || *s.ActiveDeadlineSeconds != 1200 || s.Template.Spec.RestartPolicy != corev1.RestartPolicyNever {
		t.Errorf("got %+v", s)
	}
	rules := s.PodFailurePolicy.Rules
	if len(rules) != 3 || rules[0].Action != batchv1.PodFailurePolicyActionFailJob || rules[1].Action != batchv1.PodFailurePolicyActionFailIndex || rules[2].Action != batchv1.PodFailurePolicyActionIgnore {
		t.Errorf("got rules %+v", rules)
	}
	for _, r := range rules[:2] {
		if *r.OnExitCodes.ContainerName != s.Template.Spec.Containers[0].Name {
			t.Errorf("rule %+v names no container of the pod", r)
		}
	}
	args := strings.Join(s.Template.Spec.Containers[0].Args, " ")
	for _, want := range []string{"--member $(JOB_COMPLETION_INDEX)/4", "--accounts /secrets/accounts/accounts.csv", "--rendezvous-file /secrets/rendezvous/url", "--out /out"} {
		if !strings.Contains(args, want) {
			t.Errorf("args %s: want %s", args, want)
		}
	}
}

// The pod security standard "restricted"
// (https://kubernetes.io/docs/concepts/security/pod-security-standards/), and no
// access to the API.
func TestPodIsRestricted(t *testing.T) {
	_, j := render(t, options())
	p := j.Spec.Template.Spec
	c := p.Containers[0].SecurityContext
	if *p.AutomountServiceAccountToken || *p.EnableServiceLinks || p.HostNetwork || p.HostPID || p.HostIPC {
		t.Errorf("the pod reaches further than it needs: %+v", p)
	}
	if !*p.SecurityContext.RunAsNonRoot || *p.SecurityContext.RunAsUser == 0 || p.SecurityContext.SeccompProfile.Type != corev1.SeccompProfileTypeRuntimeDefault ||
		*c.AllowPrivilegeEscalation || !*c.ReadOnlyRootFilesystem || len(c.Capabilities.Drop) != 1 || c.Capabilities.Drop[0] != "ALL" || c.Privileged != nil {
		t.Errorf("got %+v and %+v", p.SecurityContext, c)
	}
	for _, v := range p.Volumes {
		if v.ConfigMap == nil && v.EmptyDir == nil && v.Secret == nil {
			t.Errorf("volume %s is of a kind that the standard refuses", v.Name)
		}
	}
	for name, q := range p.Containers[0].Resources.Limits {
		if r := p.Containers[0].Resources.Requests[name]; r.Cmp(q) != 0 {
			t.Errorf("%s: asks for %s of at most %s; a member needs what it asked for", name, &r, &q)
		}
	}
}

// Secrets are named, never written down.
func TestRenderHoldsNoSecret(t *testing.T) {
	c, j := render(t, options())
	if c.Data["peak.yaml"] != "name: peak\n" || c.Name != j.Name || c.Namespace != "load" {
		t.Errorf("got config map %+v", c)
	}
	for _, e := range j.Spec.Template.Spec.Containers[0].Env {
		t.Errorf("the pod has the variable %s; secrets come as files", e.Name)
	}
}

// Every mistake is said, not the first.
func TestRenderRefuses(t *testing.T) {
	o := options()
	o.Name, o.Image, o.Workers, o.Meeting, o.Deadline, o.Args = "Peak_1", "", 0, "", 0, []string{"--member", "1/2", "--url", "http://u:hunter2@10.0.0.5"}
	o.Namespace, o.Accounts, o.CPUs, o.MaxLost, o.Files = "Load", "my accounts", 0, -1, map[string]string{"a b.yaml": strings.Repeat("x", 1<<20+1)}
	_, err := Render(o)
	for _, want := range []string{`"Peak_1"`, "no image", "--workers 0", "no rendezvous", "--deadline 0s", "--member is the job's own", "user name or password in a URL",
		`--namespace "Load"`, `--accounts-secret "my accounts"`, "--cpus 0", "--max-lost -1", `file name "a b.yaml"`, "a config map takes 1048576"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q in it", err, want)
		}
	}
	o = options()
	o.Image, o.Name = "example.org/vitals@sha256:…", strings.Repeat("a", 51)
	if _, err := Render(o); err == nil || !strings.Contains(err.Error(), "--image") || !strings.Contains(err.Error(), "51 characters") {
		t.Errorf("got %v, want the image and the name refused", err)
	}
	_, err = Render(Job{Args: []string{"--url=http://u:hunter2@10.0.0.5"}})
	if strings.Contains(err.Error(), "hunter2") {
		t.Errorf("the password is told: %v", err)
	}
}
