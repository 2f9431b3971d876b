// Command pocketbase is PocketBase as its own releases build it: an API that is not
// ours, whose limits and rules are set over its own API, for the audit to be tried on.
// It is a module of its own, so that Vitals does not depend on it.
package main

import (
	"log"

	"github.com/pocketbase/pocketbase"
)

func main() {
	if err := pocketbase.New().Start(); err != nil {
		log.Fatal(err)
	}
}
