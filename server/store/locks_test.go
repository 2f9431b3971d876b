package store_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"vitals/server/store"
	"vitals/server/store/storetest"
)

func TestLocks(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db store.DB) {
		locks, ctx := store.Locks{DB: db}, t.Context()
		now := time.Now().UTC().Truncate(time.Millisecond)
		save := func(key string, until time.Duration) store.LockRow {
			t.Helper()
			row := store.LockRow{Policy: "login", Key: key, Until: now.Add(until)}
			if err := locks.Save(ctx, row); err != nil {
				t.Fatal(err)
			}
			return row
		}
		live := func(want ...store.LockRow) {
			t.Helper()
			got, err := locks.Live(ctx)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("want -, got +:\n%s", diff)
			}
		}
		live()
		a := save("192.0.2.1", time.Hour)
		b := save("192.0.2.2", time.Minute)
		live(b, a)
		a = save("192.0.2.1", time.Second*30) // replaced, also by an earlier end
		live(a, b)
		save("192.0.2.3", -time.Second)
		save("192.0.2.2", -time.Second) // past lifts
		live(a)
	})
}
