package link

import (
	"bytes"
	"encoding/json"
	"reflect"
	"testing"
	"time"

	"habeas.dev/pkg/dsar"
)

// TestWireIsJSON: what is written by hand is what package json writes, and is read by
// either; and what another version's package json wrote is read.
func TestWireIsJSON(t *testing.T) {
	t.Parallel()
	e := Envelope{RequestID: "9f0d6c0e-6f0f-4b43-9f0f-3a9c3c0f7a11", System: "billing", Action: dsar.Erase, Attempt: 12, Sealed: []byte{0, 255, 1, 2}}
	want, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	if got := e.appendJSON(nil); !bytes.Equal(got, want) {
		t.Errorf("written as %s, not %s", got, want)
	}
	if got, ok := parseJSON(want); !ok || !reflect.DeepEqual(got, e) {
		t.Errorf("read as %+v", got)
	}
	for _, data := range []string{`{"a":"x"}`, `{"a":",\"nonce\":\"y\""}`, `[{"nonce":1}]`} {
		for _, task := range []Task{
			{Nonce: []byte("nonce"), Expires: time.Date(2026, 11, 30, 0, 0, 0, 0, time.UTC), Grant: GrantRef{Name: "n", Key: []byte("k")}},
			{Nonce: []byte("nonce"), Lost: LostShredded},
			{},
		} {
			plain, err := joined([]byte(data), task)
			if err != nil {
				t.Fatal(err)
			}
			task.Data = json.RawMessage(data)
			standard, err := json.Marshal(task)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(plain, standard) {
				t.Errorf("written as %s, not %s", plain, standard)
			}
			var got Task
			if err := unmarshal(bytes.Clone(standard), &got, &got.Data); err != nil || !reflect.DeepEqual(got, task) {
				t.Errorf("%s is read as %+v, %v", standard, got, err)
			}
		}
		for _, r := range []report{{Nonce: []byte("nonce")}, {}} {
			plain, err := joined([]byte(data), r)
			if err != nil {
				t.Fatal(err)
			}
			r.Data = json.RawMessage(data)
			var got report
			if err := unmarshal(plain, &got, &got.Data); err != nil || !reflect.DeepEqual(got, r) {
				t.Errorf("%s is read as %+v, %v", plain, got, err)
			}
		}
	}
}

// FuzzWire: whatever is read by hand, package json reads the same.
func FuzzWire(f *testing.F) {
	f.Add(Envelope{RequestID: "r", System: "billing", Action: dsar.Erase, Attempt: 1, Sealed: []byte("x")}.appendJSON(nil))
	f.Add([]byte(`{"request_id":"a","system":"b","system":"c","action":"d","attempt":1,"sealed":"eA=="}`))
	f.Add([]byte(`{"request_id":"\u0061","system":"b","action":"d","attempt":01,"sealed":"eA=="}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		got, ok := parseJSON(data)
		if !ok {
			return
		}
		var want Envelope
		if err := json.Unmarshal(data, &want); err != nil || !reflect.DeepEqual(got, want) {
			t.Fatalf("%+v, and not %+v, %v", got, want, err)
		}
	})
}
