package factor_test

import (
	"fmt"
	"time"

	"vitals/server/identity/factor"
)

func ExampleMatch() {
	const secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ" // of RFC 6238 appendix B
	now := time.Unix(1234567890, 0)
	step, ok, _ := factor.Match(secret, "005924", now)
	fmt.Println(step, ok)
	_, ok, _ = factor.Match(secret, "005924", now.Add(time.Minute))
	fmt.Println(ok)
	// Output:
	// 41152263 true
	// false
}
