//go:build !brokenlimit

package limit

// finish is where a build with the tag brokenlimit puts a counter that is broken
// on purpose, to prove that the harness notices. This build adds nothing.
func finish(e engine) engine { return e }
