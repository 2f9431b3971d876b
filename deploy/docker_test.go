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
	NetworkMode                     string `yaml:"network_mode"`
	EnvFile                         []struct {
		Path     string
		Required bool
	} `yaml:"env_file"`
}

type compose struct {
	Limits   any `yaml:"x-limits"`
	API      any `yaml:"x-api"`
	APIEnv   any `yaml:"x-api-environment"`
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
		image := strings.ToUpper(name)
		if name == "config" {
			image = "API" // the same program
		}
		if !strings.HasPrefix(s.Image, "${"+image+"_IMAGE:-") {
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
		first, _ := c.Services[name].DependsOn.(map[string]any)
		if cond, _ := first["config"].(map[string]any); cond["condition"] != "service_completed_successfully" {
			t.Errorf("%s: got %v, want it to wait until the settings are checked", name, c.Services[name].DependsOn)
		}
		if s := c.Services[name]; len(s.Ports) > 0 || !slices.Equal(s.Networks, []string{"back"}) || !c.Networks["back"].Internal {
			t.Errorf("%s is reachable from outside", name)
		}
	}
	if got := strings.Join(c.Services["redis"].Command, ""); !strings.Contains(got, "maxmemory-policy noeviction\n") || !strings.Contains(got, "appendonly yes\n") {
		t.Errorf("redis: got %s, want noeviction and an append-only file", got)
	}
}

// Every documented variable reaches the API, or the file says that it decides it; the
// check asks what the API is told, and the file .env for misspelt names.
func TestComposePassesEveryVariable(t *testing.T) {
	var c compose
	load(t, "../docker-compose.yml", &c)
	text, err := os.ReadFile("../.env.example")
	if err != nil {
		t.Fatal(err)
	}
	documented, err := os.ReadFile("../docs/DEPLOYMENT.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := regexp.MustCompile("(?m)^\\| `([A-Z0-9_]+)`").FindAllStringSubmatch(string(documented), -1)
	if len(rows) < 80 {
		t.Fatalf("got %d documented variables, want the table", len(rows))
	}
	env := c.Services["api"].Environment
	for _, row := range rows {
		value, passed := env[row[1]]
		switch {
		case !passed:
			t.Errorf("%s does not reach the API", row[1])
		case value == nil || strings.Contains(*value, "${"+row[1]+":"):
		case !strings.Contains(string(text), row[1]):
			t.Errorf("%s is %q whatever .env says, and .env.example does not say so", row[1], *value)
		}
	}
	check := c.Services["config"]
	if diff := cmp.Diff(env, check.Environment); diff != "" {
		t.Errorf("the check asks other settings (-api +check):\n%s", diff)
	}
	if len(check.EnvFile) != 1 || check.EnvFile[0].Path != ".env" || !slices.Equal(check.Command, []string{"serve", "config"}) || check.Restart != "no" {
		t.Errorf("got %+v, want one run of serve config with the whole of .env", check)
	}
}

// The placeholders of .env.example are refused, each by name; what replaces
// them is accepted.
func TestEnvExample(t *testing.T) {
	var c compose
	load(t, "../docker-compose.yml", &c)
	dotenv := environment(t)
	for _, env := range []string{"staging", "production"} {
		dotenv["ENV"] = env
		_, _, err := config.Load(apiEnvironment(t, c, dotenv))
		var refused config.Errors
		if !errors.As(err, &refused) {
			t.Fatalf("%s: got %v, want the placeholders refused", env, err)
		}
		var names []string
		for _, v := range refused {
			names = append(names, v.Variable)
		}
		want := []string{"SECRET_KEY", "DATABASE_URL", "REDIS_URL", "FRONTEND_URL", "PRODUCTION_CORS_ORIGINS"}
		if diff := cmp.Diff(want, slices.Compact(names)); diff != "" { // each of its origins is told
			t.Errorf("%s refused: want -, got +:\n%s", env, diff)
		}
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
