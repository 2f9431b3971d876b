package deploy

import (
	"errors"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"vitals/server/config"
)

// environment reads .env.example.
func environment(t *testing.T) map[string]string {
	t.Helper()
	b, err := os.ReadFile("../.env.example")
	if err != nil {
		t.Fatal(err)
	}
	env := map[string]string{}
	for line := range strings.Lines(string(b)) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), "="); ok && !strings.HasPrefix(name, "#") {
			env[name] = value
		}
	}
	return env
}

// service is what docker-compose.yml says of one, in the fields we use.
type service struct {
	Image, Restart, User, Cpus      string
	Build                           string
	MemLimit                        string   `yaml:"mem_limit"`
	ShmSize                         string   `yaml:"shm_size"`
	StopGracePeriod                 string   `yaml:"stop_grace_period"`
	ReadOnly                        bool     `yaml:"read_only"`
	SecurityOpt                     []string `yaml:"security_opt"`
	CapDrop                         []string `yaml:"cap_drop"`
	CapAdd                          []string `yaml:"cap_add"`
	WorkingDir                      string   `yaml:"working_dir"`
	Tmpfs, Networks, Ports, Volumes []string
	Command, Entrypoint             []string
	DependsOn                       any `yaml:"depends_on"`
	Logging, Healthcheck            map[string]any
	Environment                     map[string]*string
}

type compose struct {
	Limits   any `yaml:"x-limits"`
	Services map[string]service
	Networks map[string]struct{ Internal bool }
	Volumes  map[string]struct{}
}

var reference = regexp.MustCompile(`\$\{([A-Z_]+)(:[-?][^}]*)?\}`)

// apiEnvironment is what Compose gives the API, given a .env.
func apiEnvironment(t *testing.T, c compose, dotenv map[string]string) map[string]string {
	t.Helper()
	env := map[string]string{}
	for name, value := range c.Services["api"].Environment {
		if value == nil {
			if v, ok := dotenv[name]; ok {
				env[name] = v
			}
			continue
		}
		env[name] = reference.ReplaceAllStringFunc(*value, func(s string) string {
			m := reference.FindStringSubmatch(s)
			if v := dotenv[m[1]]; v != "" {
				return v
			}
			v, ok := strings.CutPrefix(m[2], ":-")
			if !ok {
				t.Errorf("%s asks for %s, which .env.example does not have", name, m[1])
			}
			return v
		})
	}
	return env
}

func TestCompose(t *testing.T) {
	var c compose
	load(t, "../docker-compose.yml", &c)
	for name, s := range c.Services {
		if !strings.HasPrefix(s.Image, "${"+strings.ToUpper(name)+"_IMAGE:-") {
			t.Errorf("%s: got image %s, want one that a variable overrides", name, s.Image)
		}
		for _, p := range s.Ports {
			if !strings.HasPrefix(p, "127.0.0.1:") {
				t.Errorf("%s: got port %s, want it on loopback", name, p)
			}
		}
		for _, n := range s.Networks {
			if _, ok := c.Networks[n]; !ok {
				t.Errorf("%s: no network %s", name, n)
			}
		}
		if !slices.Equal(s.CapDrop, []string{"ALL"}) || !slices.Contains(s.SecurityOpt, "no-new-privileges:true") || s.MemLimit == "" {
			t.Errorf("%s: got %v %v %q, want no capabilities, no new privileges and a memory limit", name, s.CapDrop, s.SecurityOpt, s.MemLimit)
		}
	}
	for _, name := range []string{"postgres", "redis"} {
		if s := c.Services[name]; len(s.Ports) > 0 || !slices.Equal(s.Networks, []string{"back"}) || !c.Networks["back"].Internal {
			t.Errorf("%s is reachable from outside", name)
		}
	}
	if got := strings.Join(c.Services["redis"].Command, ""); !strings.Contains(got, "maxmemory-policy noeviction\n") || !strings.Contains(got, "appendonly yes\n") {
		t.Errorf("redis: got %s, want noeviction and an append-only file", got)
	}
}

// The placeholders of .env.example are refused, each by name; what replaces
// them is accepted.
func TestEnvExample(t *testing.T) {
	var c compose
	load(t, "../docker-compose.yml", &c)
	dotenv := environment(t)
	_, _, err := config.Load(apiEnvironment(t, c, dotenv))
	var refused config.Errors
	if !errors.As(err, &refused) {
		t.Fatalf("got %v, want the placeholders refused", err)
	}
	var names []string
	for _, v := range refused {
		names = append(names, v.Variable)
	}
	want := []string{"SECRET_KEY", "DATABASE_URL", "REDIS_URL", "FRONTEND_URL", "PRODUCTION_CORS_ORIGINS"}
	if diff := cmp.Diff(want, names); diff != "" {
		t.Errorf("refused: want -, got +:\n%s", diff)
	}
	if dotenv["GRAFANA_PASSWORD"] != "" || !strings.Contains(*c.Services["grafana"].Environment["GF_SECURITY_ADMIN_PASSWORD"], ":?") {
		t.Error("Grafana would start with a password that everybody knows")
	}
	for name, value := range map[string]string{
		"SECRET_KEY": "mX3v9QpLr7TzKfWb2NcYhD8sJgA5uEe1", "POSTGRES_PASSWORD": "8f14e45fceea167a5a36dedd", "REDIS_PASSWORD": "c9f0f895fb98ab9159f51fd0",
		"FRONTEND_URL": "https://app.clinic.test", "PRODUCTION_CORS_ORIGINS": "https://app.clinic.test",
	} {
		dotenv[name] = value
	}
	if _, _, err := config.Load(apiEnvironment(t, c, dotenv)); err != nil {
		t.Errorf("with the placeholders replaced: %v", err)
	}
}

// Images carry no shell, so everything the Dockerfile starts is the program.
func TestDockerfile(t *testing.T) {
	b, err := os.ReadFile("../Dockerfile")
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{"FROM scratch", "USER 65532:65532", `ENTRYPOINT ["/vitals"]`, `CMD ["serve"]`, `CMD ["/vitals", "serve", "check"]`} {
		if !strings.Contains(string(b), line) {
			t.Errorf("no %s", line)
		}
	}
	ignore, err := os.ReadFile("../.dockerignore")
	if err != nil || !strings.HasPrefix(string(ignore), "*\n") {
		t.Errorf("got %q, %v, want everything kept out that is not named", ignore, err)
	}
}
