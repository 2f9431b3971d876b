package importer

import "strings"

// splitBraces stands between two braces of a source that would read as a placeholder, until it is
// known whether their place can hold them, as an address can.
const splitBraces = "\ue003"

var (
	asSplit = strings.NewReplacer("{"+splitBraces, "{ ", "}"+splitBraces, "} ")
	asWhole = strings.NewReplacer("{"+splitBraces, "{", "}"+splitBraces, "}")
	// inAddress has all of them encoded: "{" + splitBraces + "{" is three letters.
	inAddress = strings.NewReplacer("{"+splitBraces+"{", "%7B%7B", "{"+splitBraces, "%7B", splitBraces+"{", "%7B", "}"+splitBraces+"}", "%7D%7D", "}"+splitBraces, "%7D", splitBraces+"}", "%7D")
)

// parted is a text whose double braces are parted.
func parted(text string) string {
	for strings.Contains(text, "{{") {
		text = strings.ReplaceAll(text, "{{", "{"+splitBraces+"{")
	}
	for strings.Contains(text, "}}") {
		text = strings.ReplaceAll(text, "}}", "}"+splitBraces+"}")
	}
	return text
}

// changed says which texts are not sent as the source has them, for their braces were parted.
func changed(header [][2]string, body any, text string) []string {
	var places []string
	for _, h := range header {
		if isParted(h[1]) {
			places = append(places, "the header "+h[0])
		}
	}
	switch found := partedIn(body, ""); {
	case isParted(text):
		places = append(places, "the body")
	default:
		places = append(places, found...)
	}
	if len(places) == 0 {
		return nil
	}
	return []string{"double braces in " + strings.Join(places, ", ") + ": a space was put between them, for what stands in double braces is filled in"}
}

func isParted(text string) bool { return asSplit.Replace(text) != text }

// partedIn are the fields of a body whose names or texts were parted.
func partedIn(v any, key string) (places []string) {
	switch v := v.(type) {
	case map[string]any:
		for _, k := range keys(v) {
			if isParted(k) {
				places = append(places, "the name of a field")
			}
			places = append(places, partedIn(v[k], k)...)
		}
	case []any:
		for _, one := range v {
			if places = partedIn(one, key); len(places) > 0 {
				break
			}
		}
	case string:
		if what := "the body"; isParted(v) {
			if key != "" {
				what = "the field " + asSplit.Replace(key)
			}
			places = append(places, what)
		}
	}
	return places
}
