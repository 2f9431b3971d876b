package identity_test

import (
	"context"
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	"vitals/server/store"
	"vitals/server/store/storetest"
)

// exec changes the database behind the API's back.
func (s *site) exec(query string, args ...any) {
	s.t.Helper()
	err := s.db.Write(s.t.Context(), func(ctx context.Context, q store.Querier) error {
		_, err := q.ExecContext(ctx, query, args...)
		return err
	})
	if err != nil {
		s.t.Fatal(err)
	}
}

// scan reads one value.
func (s *site) scan(into any, query string, args ...any) {
	s.t.Helper()
	err := s.db.Read(s.t.Context(), func(ctx context.Context, q store.Querier) error {
		return q.QueryRowContext(ctx, query, args...).Scan(into)
	})
	if err != nil {
		s.t.Fatal(err)
	}
}

func (s *site) refresh(token string) answer {
	return s.call("POST", "/auth/refresh", "", fields{"refresh_token": token})
}

// AU4: the old token kills the family, and the new one with it.
func TestRefreshReuseEndsTheFamily(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db store.DB) {
		s := open(t, db)
		_, old := s.login("patient-000001@clinic.test", goodWord)
		otherAccess, otherRefresh := s.login("patient-000001@clinic.test", goodWord)

		a := s.refresh(old)
		s.want("first use", a, http.StatusOK, "")
		next, access := a.text(t, "refresh_token"), a.text(t, "access_token")
		s.want("new access", s.call("GET", "/auth/me", access, nil), http.StatusOK, "")
		s.want("second use", s.refresh(old), http.StatusUnauthorized, "refresh_reused")
		s.want("successor", s.refresh(next), http.StatusUnauthorized, "invalid_token")
		s.want("access of the dead family", s.call("GET", "/auth/me", access, nil), http.StatusUnauthorized, "")
		s.want("access of another session", s.call("GET", "/auth/me", otherAccess, nil), http.StatusOK, "")
		s.want("another session", s.refresh(otherRefresh), http.StatusOK, "")
		if log := s.log.String(); !strings.Contains(log, "refresh_reused") || strings.Contains(log, old) {
			t.Errorf("log lacks the event or has the token:\n%s", log)
		}
	})
}

// AU5
func TestTwentyParallelRefreshesGiveOnePair(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db store.DB) {
		s := open(t, db)
		_, token := s.login("patient-000001@clinic.test", goodWord)
		got := parallel(20, func(int) answer { return s.refresh(token) })
		if want := map[int]int{http.StatusOK: 1, http.StatusUnauthorized: 19}; !maps.Equal(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
	})
}

func TestRefreshRefuses(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db store.DB) {
		s := open(t, db)
		access, _ := s.login("patient-000001@clinic.test", goodWord)
		s.want("access as refresh", s.refresh(access), http.StatusUnprocessableEntity, "") // longer than any of ours
		s.want("garbage", s.refresh("garbage"), http.StatusUnauthorized, "invalid_token")
		s.want("unknown", s.refresh(strings.Repeat("A", 43)), http.StatusUnauthorized, "invalid_token")

		_, expired := s.login("patient-000001@clinic.test", goodWord)
		s.clock.forward(7*24*time.Hour + time.Second)
		s.want("expired", s.refresh(expired), http.StatusUnauthorized, "invalid_token")

		_, disabled := s.login("patient-000001@clinic.test", goodWord)
		s.exec(`UPDATE users SET is_active = FALSE WHERE id = $1`, s.seeded[0].UserID)
		s.want("disabled user", s.refresh(disabled), http.StatusUnauthorized, "invalid_token")
	})
}

func TestAccessTokenExpires(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db store.DB) {
		s := open(t, db)
		access, refresh := s.login("patient-000001@clinic.test", goodWord)
		s.want("refresh as access", s.call("GET", "/auth/me", refresh, nil), http.StatusUnauthorized, "")
		s.clock.forward(15*time.Minute + 29*time.Second)
		s.want("within the leeway", s.call("GET", "/auth/me", access, nil), http.StatusOK, "")
		s.clock.forward(2 * time.Second)
		s.want("past it", s.call("GET", "/auth/me", access, nil), http.StatusUnauthorized, "")
	})
}
