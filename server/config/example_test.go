package config_test

import (
	"fmt"

	"vitals/server/config"
)

// Every mistake at once, by name and rule, and no value.
func ExampleLoad() {
	_, _, err := config.Load(map[string]string{
		"ENV":              "staging",
		"DATABASE_URL":     "postgres://clinic:t4Kd9sWq@db.internal/clinic",
		"SECRET_KEY":       "too-short",
		"DB_POOL_RECYCLE":  "0",
		"RATE_LIMIT_LOGIN": "five",
	})
	fmt.Println(err)
	// Output:
	// configuration refused, 3 problem(s):
	//   SECRET_KEY: must be at least 32 bytes; make one with: openssl rand -base64 32
	//   DB_POOL_RECYCLE: must be 60 to 31536000 seconds (a whole number, or a form such as 90s), or -1 for never
	//   RATE_LIMIT_LOGIN: must be a whole number from 1 to 1000000
}

// What a run used, for its report: the deviations are its banner.
func ExampleConfig_Deviations() {
	cfg, _, err := config.Load(map[string]string{"ENV": "test", "RATE_LIMIT_API": "100000"})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, d := range cfg.Deviations() {
		fmt.Println(d)
	}
	// Output: RATE_LIMIT_API=100000 (published: 100)
}
