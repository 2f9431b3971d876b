package clinic

import (
	"fmt"
	"sync"
	"testing"

	"vitals/server/store"
	"vitals/server/store/storetest"
)

// atOnce sends n requests at one moment and counts the answers by status.
func atOnce(n int, ask func(i int) int) map[int]int {
	var start, done sync.WaitGroup
	var mu sync.Mutex
	counts := map[int]int{}
	start.Add(1)
	for i := range n {
		done.Go(func() {
			start.Wait()
			status := ask(i)
			mu.Lock()
			counts[status]++
			mu.Unlock()
		})
	}
	start.Done()
	done.Wait()
	return counts
}

func TestOneOfManyTakes(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db store.DB) {
		b := newBench(t, db)
		m := b.addPill(ann, nil)
		r := want[List[Reminder]](b, 200, ann, "GET", "/reminders", nil).Items[0]
		verbs := []string{"taken", "taken", "skipped", "missed"}
		got := atOnce(40, func(i int) int {
			if i%5 == 4 {
				return b.ask(ann, "POST", "/logs", map[string]any{
					"medication_id": m.ID, "reminder_id": r.ID, "action": "taken", "source": "api", "taken_at": noon}).Code
			}
			return b.ask(ann, "POST", "/reminders/"+r.ID+"/"+verbs[i%4], nil).Code
		})
		if got[200]+got[201] != 1 || got[409] != 39 {
			t.Errorf("got %v, want one success and 39 refusals 409", got)
		}
		after := want[Reminder](b, 200, ann, "GET", "/reminders/"+r.ID, nil)
		logs := want[List[Log]](b, 200, ann, "GET", "/logs", nil)
		if logs.Total != 1 || logs.Items[0].Action != after.Status {
			t.Fatalf("got %d logs, want the one of %s", logs.Total, after.Status)
		}
		used := int64(0)
		if after.Status == taken {
			used = 1
		}
		if m := want[Medication](b, 200, ann, "GET", "/medications/"+m.ID, nil); m.CurrentStock != 60-used {
			t.Errorf("got stock %d, want %d", m.CurrentStock, 60-used)
		}
	})
}

func TestStockNeverNegative(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db store.DB) {
		b := newBench(t, db)
		m := b.addPill(ann, map[string]any{"current_stock": 20})
		got := atOnce(50, func(int) int {
			return b.ask(ann, "POST", "/medications/"+m.ID+"/stock", `{"delta":-1,"note":"spilt"}`).Code
		})
		if got[200] != 20 || got[409] != 30 {
			t.Errorf("got %v, want 20 successes and 30 refusals 409", got)
		}
		after := want[Medication](b, 200, ann, "GET", "/medications/"+m.ID, nil)
		if after.CurrentStock != 0 || !after.IsLowStock {
			t.Errorf("got stock %d, low %t, want 0, low", after.CurrentStock, after.IsLowStock)
		}
		b.refuse(200, ann, "POST", "/medications/"+m.ID+"/stock", `{"delta":1000000}`)
		b.refuse(409, ann, "POST", "/medications/"+m.ID+"/stock", `{"delta":1}`)
	})
}

// TestTakingAnEmptyStock: what was swallowed is logged although the count says
// that there was none, and voiding it gives nothing back.
func TestTakingAnEmptyStock(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db store.DB) {
		b := newBench(t, db)
		m := b.addPill(ann, map[string]any{"current_stock": 1})
		rs := want[List[Reminder]](b, 200, ann, "GET", "/reminders", nil).Items
		for i := range 2 {
			want[Reminder](b, 200, ann, "POST", "/reminders/"+rs[i].ID+"/taken", nil)
		}
		stock := func() int64 { return want[Medication](b, 200, ann, "GET", "/medications/"+m.ID, nil).CurrentStock }
		if got := stock(); got != 0 {
			t.Errorf("got stock %d, want 0", got)
		}
		logs := want[List[Log]](b, 200, ann, "GET", "/logs", nil)
		if logs.Total != 2 {
			t.Fatalf("got %d logs, want 2", logs.Total)
		}
		for _, l := range logs.Items {
			v := want[Log](b, 200, ann, "POST", "/logs/"+l.ID+"/void", `{"reason":"wrong day"}`)
			if v.VoidedAt == nil || *v.VoidReason != "wrong day" {
				t.Errorf("got %+v", v)
			}
			b.refuse(409, ann, "POST", "/logs/"+l.ID+"/void", nil)
			b.refuse(409, ann, "PATCH", "/logs/"+l.ID, `{"notes":"late"}`)
		}
		if got := stock(); got != 1 {
			t.Errorf("after voiding both: got stock %d, want the 1 that was used", got)
		}
		if got := want[List[Log]](b, 200, ann, "GET", "/logs", nil); got.Total != 0 {
			t.Errorf("got %d valid logs, want 0", got.Total)
		}
		if got := want[List[Log]](b, 200, ann, "GET", "/logs?include_voided=true", nil); got.Total != 2 {
			t.Errorf("got %d logs with the voided, want 2", got.Total)
		}
		b.refuse(409, ann, "POST", "/reminders/"+rs[0].ID+"/taken", nil)
	})
}

// TestMixedWriters sends everything that locks a medication, its reminders and
// logs at once: no two may wait for each other, and the stock must match the logs.
func TestMixedWriters(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db store.DB) {
		b := newBench(t, db)
		m := b.addPill(ann, map[string]any{"current_stock": 500})
		rs := want[List[Reminder]](b, 200, ann, "GET", "/reminders?page_size=60", nil).Items
		got := atOnce(60, func(i int) int {
			switch i % 6 {
			case 0:
				return b.ask(ann, "PATCH", "/medications/"+m.ID, fmt.Sprintf(`{"reminder_times":["08:%02d","20:00"]}`, i)).Code
			case 1:
				return b.ask(ann, "POST", "/medications/"+m.ID+"/reminders/generate", `{"days_ahead":30}`).Code
			case 2:
				return b.ask(ann, "DELETE", "/reminders/"+rs[i].ID, nil).Code
			case 3:
				return b.ask(ann, "POST", "/medications/"+m.ID+"/stock", `{"delta":2}`).Code
			default:
				return b.ask(ann, "POST", "/reminders/"+rs[i].ID+"/taken", nil).Code
			}
		})
		for status := range got {
			switch status {
			case 200, 204, 404, 409:
			default:
				t.Errorf("got %v, want no status %d", got, status)
			}
		}
		logs := want[List[Log]](b, 200, ann, "GET", "/logs", nil)
		after := want[Medication](b, 200, ann, "GET", "/medications/"+m.ID, nil)
		if want := int64(500 + 2*10 - logs.Total); after.CurrentStock != want {
			t.Errorf("got stock %d with %d doses taken, want %d", after.CurrentStock, logs.Total, want)
		}
		done := want[List[Reminder]](b, 200, ann, "GET", "/reminders?status=taken", nil)
		if done.Total != logs.Total {
			t.Errorf("got %d taken reminders, %d logs", done.Total, logs.Total)
		}
	})
}
