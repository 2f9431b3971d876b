package importer_test

import (
	"strings"
	"testing"
)

// noQuotes is a text without those that YAML wants.
func noQuotes(text string) string { return strings.ReplaceAll(text, `"`, "") }

// An id of one or two letters is saved where a later request sends an id, and nowhere else.
func TestShortIDsAreFilledIn(t *testing.T) {
	order := func(answer string) caught {
		return caught{method: "POST", path: "/api/orders", body: `{"name":"A"}`, answer: answer}
	}
	for _, c := range []struct {
		told         caught
		method, path string
		body, want   string
	}{
		{order(`{"id":"77"}`), "DELETE", "/api/orders/77", "", "delete: /api/orders/{{order_id}}"},
		{order(`{"id":"7"}`), "DELETE", "/api/orders/7", "", "delete: /api/orders/{{order_id}}"},
		{order(`{"id":"ab"}`), "GET", "/api/orders/ab/lines", "", "get: /api/orders/{{order_id}}/lines"},
		{order(`{"id":"1"}`), "DELETE", "/api/orders/1", "", "delete: /api/orders/{{order_id}}"},
		{order(`{"id":1}`), "DELETE", "/api/orders/1", "", "delete: /api/orders/{{order_id}}"},
		{order(`{"id":77}`), "GET", "/lines?order=77", "", "get: /lines?order={{order_id}}"},
		{order(`{"number":"A12"}`), "GET", "/api/orders/A12", "", "get: /api/orders/{{number}}"},
		{order(`{"data":{"orderId":"x"}}`), "GET", "/lines?order_id=x", "", "get: /lines?order_id={{order_id}}"},
		{order(`{"slug":"x"}`), "GET", "/lines?slug=x", "", "get: /lines?slug={{slug}}"},
		{order(`{"id":"7"}`), "POST", "/lines", `{"order_id":"7","n":"7"}`, `body: {"n":"7","order_id":"{{order_id}}"}`},
		{order(`{"id":"7"}`), "POST", "/lines", `{"orderIds":["7"]}`, `body: {"orderIds":["{{order_id}}"]}`},
		{order(`{"id":7}`), "POST", "/lines", `{"orderId":7,"count":7}`, `body: {"count":7,"orderId":{{order_id}}}`},
		{caught{method: "POST", path: "/login", body: annSignsIn, answer: `{"token":"` + annsToken + `","driver":{"id":"7","email":"ann@town.example"}}`}, "GET", "/users/7", "", "tasks:\n      - name: read user\n        get: /users/{{user_id}}"},
		{caught{method: "POST", path: "/checkout", body: "{}", answer: `{"order":{"id":"7"}}`}, "GET", "/orders/7", "", "name: read order\n        get: /orders/{{checkout_id}}"},
		{order(`{"id":"7"}`), "GET", "/carts/7", "", "# decide: whether 7 is the id that the answer to create order told"},
		{order(`{"size":"77"}`), "DELETE", "/api/orders/77", "", "# decide: which object it deletes: no answer told 77"},
		// What merely equals an id stays as it is.
		{order(`{"id":"1"}`), "GET", "/lines?page=1", "", "get: /lines?page=1\n"},
		{order(`{"id":2}`), "GET", "/lines?page=2", "", "get: /lines?page=2\n"},
		{order(`{"id":"2"}`), "GET", "/lines/pages/2", "", "get: /lines/pages/2\n"},
		{order(`{"id":"7"}`), "GET", "/lines?q=7", "", "get: /lines?q=7\n"},
		{order(`{"id":"1"}`), "GET", "/lines?customer_id=1", "", "get: /lines?customer_id=1\n"},
		{order(`{"id":"7"}`), "POST", "/lines", `{"count":7,"size":"7"}`, `body: {"count":7,"size":"7"}`},
		{order(`{"size":"77"}`), "GET", "/api/orders/77", "", "get: /api/orders/77\n"},
		{order(`{"page_number":"7"}`), "GET", "/lines?number=7", "", "get: /lines?number=7\n"},
		{order(`{"id":"v1"}`), "GET", "/api/v1/lines", "", "get: /api/v1/lines\n"},
	} {
		f := imported(t, har(c.told, caught{method: c.method, path: c.path, body: c.body}), "town.har")
		if !strings.Contains(noQuotes(f.Scenario), noQuotes(c.want)) {
			t.Errorf("%s %s %s after %s: got\n%s\nwant %s", c.method, c.path, c.body, c.told.answer, f.Scenario, c.want)
		}
	}
	// Of two things with the same id each has its own, and what came before tells nothing.
	f := imported(t, har(caught{method: "GET", path: "/news?page=7"}, order(`{"id":"7"}`), caught{method: "POST", path: "/carts", body: `{"name":"A"}`, answer: `{"id":"7"}`},
		caught{method: "DELETE", path: "/carts/7"}, caught{method: "DELETE", path: "/api/orders/7"}), "town.har")
	for _, want := range []string{"delete: /carts/{{cart_id}}\n", "delete: /api/orders/{{order_id}}\n", "save: {cart_id: json:id}", "save: {order_id: json:id}", "/news?page=7\n", "forget: [order_id]"} {
		if !strings.Contains(noQuotes(f.Scenario), noQuotes(want)) {
			t.Errorf("got\n%s\nwant %s", f.Scenario, want)
		}
	}
}
