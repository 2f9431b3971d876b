package importer

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"

	yaml "go.yaml.in/yaml/v4"
)

var errNoSource = errors.New("no OpenAPI (openapi: or swagger:), HAR (log) or Postman collection (info.schema) in it")

// meant is what a source begins with, one that is broken further on as well.
var meant = regexp.MustCompile(`(?m)^["']?(openapi|swagger)["']?\s*:|\A\s*\{[^{}\[\]]*"(openapi|swagger|log|info)"\s*:`)

// draft reads a source of any kind. What is none is refused in one way, whatever a reader makes
// of it: programs, tables and web pages are YAML up to some line.
func draft(source []byte, o Options) (*outline, error) {
	source = bytes.TrimPrefix(source, []byte("\ufeff")) // a mark that editors write, and JSON may not have
	var head struct {
		OpenAPI any `json:"openapi" yaml:"openapi"`
		Swagger any `json:"swagger" yaml:"swagger"`
		Log     any `json:"log" yaml:"log"`
		Info    any `json:"info" yaml:"info"`
	}
	var err error
	if json.Valid(source) {
		err = json.Unmarshal(source, &head)
	} else {
		err = yaml.Load(source, &head)
	}
	if err != nil {
		if meant.Match(source) {
			return nil, fmt.Errorf("neither JSON nor YAML with fields: %w", err)
		}
		return nil, errNoSource
	}
	info, _ := head.Info.(map[string]any)
	schema, _ := info["schema"].(string)
	inJSON := bytes.HasPrefix(bytes.TrimSpace(source), []byte("{")) // or meant as such
	switch {
	case isScalar(head.OpenAPI) || isScalar(head.Swagger):
		return openAPI(source, o)
	case head.Log != nil && inJSON:
		return har(source, o)
	case strings.Contains(schema, "collection") && inJSON:
		return postman(source, o)
	}
	return nil, errNoSource
}

// misshapen is why a JSON text is none of a format, without the names that this program has for
// what the format has.
func misshapen(err error) error {
	if wrong := (*json.UnmarshalTypeError)(nil); errors.As(err, &wrong) {
		return fmt.Errorf("%s may not be a JSON %s", strings.TrimLeft(wrong.Field, "."), wrong.Value)
	}
	return err
}
