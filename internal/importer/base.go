package importer

import (
	"net/url"
	"slices"
	"strings"
)

// based settles whether the paths of the files have the base path of the URL that the user
// gave, for `vitals run` and `vitals audit` put it before each of them: it gives how many
// segments to take off. paths are whole, with own, which the source says is before them all.
// Where some are below the base and some beside it, the commands have a URL without it.
func (d *outline) based(given, own string, paths []string) (segments int) {
	u, err := url.Parse(given)
	if err != nil || strings.Trim(u.Path, "/") == "" {
		return 0
	}
	base := strings.TrimRight(u.EscapedPath(), "/")
	beside := slices.DeleteFunc(slices.Clone(paths), func(path string) bool { return strings.HasPrefix(path, base+"/") })
	switch len(beside) {
	case 0:
		return strings.Count(base, "/")
	case len(paths): // the API is mounted elsewhere than the source says
		return strings.Count(strings.TrimRight(own, "/"), "/")
	}
	d.whole = u.Scheme + "://" + u.Host
	d.say("%s is not below %s of %s, while other paths are: paths are whole in the files, and the commands have the URL without %s", shownPath(beside[0]), base, given, base)
	return 0
}

// pathsOf are the paths of requests.
func pathsOf(all []exchange) (paths []string) {
	for _, x := range all {
		paths = append(paths, x.url.EscapedPath())
	}
	return paths
}

// without is a path without its first segments.
func without(path string, segments int) string {
	for range segments {
		_, rest, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
		path = "/" + rest
	}
	return path
}
