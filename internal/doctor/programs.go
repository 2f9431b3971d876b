package doctor

import (
	"errors"
	"fmt"
	"os/exec"
	"strings"

	"vitals/internal/stack/containers"
	"vitals/internal/stack/local"
)

// docker words what was found of Docker and its images. Without need of it, what
// is missing is a note.
func docker(needed bool, found containers.Found, err error) []Finding {
	missing := Note
	if needed {
		missing = Missing
	}
	if err != nil {
		return []Finding{{missing, "docker", strings.SplitN(err.Error(), "\n", 2)[0], "only --stack containers needs Docker"}}
	}
	out := []Finding{{Status: OK, What: "docker", Found: "Engine " + found.Version}}
	for _, image := range found.Images {
		f := Finding{Status: OK, What: "image", Found: fmt.Sprintf("%s: %s", image.Role, image.Name)}
		if !image.There {
			f.Status, f.Found = missing, fmt.Sprintf("%s: %s is not here", image.Role, image.Name)
			f.Do = fmt.Sprintf("docker pull %s, or, where no registry can be reached, make images", image.Name)
		}
		out = append(out, f)
	}
	return out
}

// programs are those that parts of Vitals start.
func programs() []Finding {
	var out []Finding
	look := func(what, use, install string, err error) {
		f := Finding{Status: OK, What: "program", Found: what}
		if err != nil {
			f.Status, f.Found, f.Do = Note, "no "+what, use+"; "+install
		}
		out = append(out, f)
	}
	_, err := exec.LookPath("redis-server")
	look("redis-server", "probes of `vitals audit --stack embedded` that need a Redis are skipped", "Debian: redis-server", err)
	if !local.HasPostgres() {
		err = errors.New("none")
	} else {
		err = nil
	}
	look("postgres", "probes of `vitals audit --stack embedded` that need a Postgres are skipped", "Debian: postgresql", err)
	_, goErr := exec.LookPath("go")
	_, gitErr := exec.LookPath("git")
	look("go and git", "`vitals duet` cannot build git revisions; name programs or images", "install both", errors.Join(goErr, gitErr))
	return out
}
