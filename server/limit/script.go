package limit

import (
	_ "embed"

	"github.com/redis/go-redis/v9"
)

// The scripts, each one atomic step on the server with the server's clock. They
// set every key's expiry in the same step as its value, and answer
// "epoch" and touch nothing when the sentinel is gone: see epoch.go.
var (
	//go:embed lua/begin.lua
	beginLua string
	//go:embed lua/commit.lua
	commitLua string
	//go:embed lua/take.lua
	takeLua string
	//go:embed lua/buckets.lua
	bucketsLua string
	//go:embed lua/admit.lua
	admitLua string
	//go:embed lua/judge.lua
	judgeLua string
)

// scripts are the compiled texts, sent once and called by digest (EVALSHA).
type scripts struct{ begin, commit, take, buckets, admit, judge *redis.Script }

func newScripts() scripts {
	return scripts{
		begin: redis.NewScript(beginLua), commit: redis.NewScript(commitLua),
		take: redis.NewScript(takeLua), buckets: redis.NewScript(bucketsLua),
		admit: redis.NewScript(admitLua), judge: redis.NewScript(judgeLua),
	}
}
