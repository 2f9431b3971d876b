package importer_test

import (
	"fmt"
	"strings"
	"testing"
)

// A parameter is written as the document says: lists, objects, and what was invented of them.
func TestParametersAreWrittenAsDocumented(t *testing.T) {
	const list, object = "schema: {type: array, items: {type: string}, example: [x, 'y z']}", "schema: {type: object, example: {a: 1, b: 'y z'}}"
	const mark = "# decide: the parameter p\n"
	for param, want := range map[string]string{
		"name: p, in: query, " + list: "get: /lots?p=x&p=y%20z\n",
		"name: p, in: query, example: [x, 'y z'], schema: {type: array, items: {type: string}}":             "get: /lots?p=x&p=y%20z\n",
		"name: p, in: query, schema: {type: array, items: {type: integer}, minItems: 2, default: [3, 4]}":   "get: /lots?p=3&p=4\n",
		"name: p, in: query, explode: false, " + list:                                                       "get: /lots?p=x,y%20z\n",
		"name: p, in: query, style: spaceDelimited, " + list:                                                "get: /lots?p=x%20y%20z\n",
		"name: p, in: query, style: pipeDelimited, " + list:                                                 "get: /lots?p=x%7Cy%20z\n",
		"name: p, in: query, style: pipeDelimited, explode: true, " + list:                                  "get: /lots?p=x&p=y%20z\n",
		"name: p, in: query, " + object:                                                                     "get: /lots?a=1&b=y%20z\n",
		"name: p, in: query, explode: false, " + object:                                                     "get: /lots?p=a,1,b,y%20z\n",
		"name: p, in: query, style: deepObject, explode: true, " + object:                                   "get: /lots?p%5Ba%5D=1&p%5Bb%5D=y%20z\n",
		"name: p, in: query, schema: {type: object, example: {a: 1, b: {c: 2}}}":                            "# decide: the parameter p: p.b left out",
		"name: p, in: query, schema: {type: array, items: {type: integer}, minItems: 3}":                    "get: /lots?p=1&p=1&p=1\n" + mark,
		"name: p, in: query, schema: {type: array, items: {type: integer}, minItems: 2, uniqueItems: true}": "get: /lots?p=1&p=2\n" + mark,
		"name: p, in: query, schema: {type: array, items: {type: string}}":                                  "get: /lots?p=text\n" + mark,
		"name: p, in: query, schema: {type: array, items: {enum: [a, b, c]}, minItems: 2}":                  "get: /lots?p=a&p=b\n",
		"name: p, in: query, schema: {type: array, items: {type: string, format: uuid}, minItems: 2}":       "get: /lots?p={{uuid}}&p={{uuid}}\n" + mark,
		"name: p, in: query, content: {application/json: {example: {a: {b: 'y z'}}}}":                       "get: /lots?p=%7B%22a%22%3A%7B%22b%22%3A%22y%20z%22%7D%7D\n",
		"name: p, in: query, schema: {type: string, example: 'y z'}":                                        "get: /lots?p=y%20z\n",
		"name: X-P, in: header, " + list:                                                                    "header: {X-P: x,y z}\n",
		"name: X-P, in: header, " + object:                                                                  "header: {X-P: a,1,b,y z}\n",
		"name: X-P, in: header, explode: true, " + object:                                                   "header: {X-P: a=1,b=y z}\n",
		"name: id, in: path, " + list:                                                                       "get: /lots/x,y%20z\n",
		"name: id, in: path, style: label, " + list:                                                         "get: /lots/.x,y%20z\n",
		"name: id, in: path, style: matrix, explode: true, " + list:                                         "get: /lots/;id=x;id=y%20z\n",
		"name: P, in: cookie, schema: {type: string}":                                                       "# decide: the cookie P, which must be sent, is left out\n",
	} {
		path := "/lots"
		if strings.Contains(param, "in: path") {
			path += "/{id}"
		}
		f := imported(t, document(fmt.Sprintf(`  %s: {get: {parameters: [{required: true, %s}], responses: {"200": {description: ok}}}}`, path, param)), "town.yaml")
		want, marked := strings.CutSuffix(want, mark)
		if got := noQuotes(f.Scenario); !strings.Contains(got, noQuotes(want)) || marked != strings.Contains(got, mark) {
			t.Errorf("%s: got\n%s\nwant %s", param, f.Scenario, want)
		}
	}
}

// Swagger 2 has commas between the values of a list unless it says otherwise.
func TestListsOfSwagger(t *testing.T) {
	const doc = `{"swagger":"2.0","info":{"title":"x","version":"1"},"paths":{"/lots":{"%s":{"parameters":[{"name":"p","in":"%s","required":true,"type":"array","items":{"type":"string"},%s}],"responses":{"200":{"description":"ok"}}}}}}`
	for _, c := range [][4]string{
		{"get", "query", `"default":["x","y z"]`, "get: /lots?p=x,y%20z\n"},
		{"get", "query", `"default":["x","y z"],"collectionFormat":"multi"`, "get: /lots?p=x&p=y%20z\n"},
		{"get", "query", `"default":["x","y"],"collectionFormat":"ssv"`, "get: /lots?p=x%20y\n"},
		{"get", "query", `"default":["x","y"],"collectionFormat":"tsv"`, "get: /lots?p=x%09y\n"},
		{"get", "query", `"default":["x","y"],"collectionFormat":"pipes"`, "get: /lots?p=x%7Cy\n"},
		{"get", "query", `"minItems":2`, "get: /lots?p=text,text\n"},
		{"get", "header", `"default":["x","y"]`, "header: {p: x,y}\n"},
		{"post", "formData", `"default":["x","y"]`, "body: p=x%2Cy\n"},
		{"post", "formData", `"default":["x","y"],"collectionFormat":"multi"`, "body: p=x&p=y\n"},
	} {
		f := imported(t, fmt.Sprintf(doc, c[0], c[1], c[2]), "x.json")
		if !strings.Contains(noQuotes(f.Scenario), c[3]) {
			t.Errorf("%s %s: got\n%s\nwant %s", c[1], c[2], f.Scenario, c[3])
		}
	}
}

// A form sends every value of a list.
func TestFormsSendLists(t *testing.T) {
	form := func(schema, more string) string {
		return document(`  /permits: {post: {requestBody: {content: {application/x-www-form-urlencoded: {schema: {type: object, required: [tags], properties: {a: {type: integer}, tags: ` + schema + `}}` + more + `}}}, responses: {"201": {description: ok}}}}`)
	}
	const list = "{type: array, items: {type: string}, example: [x, 'y z']}"
	const once = "# decide: the field tags: a form of the profile says each name once"
	for source, want := range map[string][2]string{
		form(list, ""): {"body: a=1&tags=x&tags=y+z\n", once},
		form(list, ", encoding: {tags: {explode: false}}"):                                                                    {"body: a=1&tags=x%2Cy+z\n", "tags:x,y z"},
		form(list, ", encoding: {tags: {contentType: application/json}}"):                                                     {"body: a=1&tags=%5B%22x%22%2C%22y+z%22%5D\n", "tags:"},
		form("{type: array, minItems: 2, items: {type: integer}}", ""):                                                        {"body: a=1&tags=1&tags=1\n", once},
		form("{type: object, example: {b: {c: 2}}}", ""):                                                                      {"body: a=1&tags=%7B%22b%22%3A%7B%22c%22%3A2%7D%7D\n", "tags:"},
		form("{type: array}", ""):                                                                                             {"# decide: the field tags is left out", "# decide: the field tags is left out"},
		form("{type: array, items: {type: string}}", ""):                                                                      {"# decide: the document has no example for tags.0: a text was invented", "tags:text"},
		har(caught{method: "POST", path: "/permits", kind: "application/x-www-form-urlencoded", body: "a=1&tags=x&tags=y+z"}): {"body: a=1&tags=x&tags=y+z\n", once},
	} {
		f := imported(t, source, "town")
		if got := noQuotes(f.Scenario); !strings.Contains(got, want[0]) || !strings.Contains(noQuotes(f.Profile), want[1]) {
			t.Errorf("%s: got\n%s\n%s\nwant %s", source, got, f.Profile, want)
		}
	}
}
