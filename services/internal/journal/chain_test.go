package journal

import (
	"bytes"
	"encoding/hex"
	"errors"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// sealed makes a request's facts in appends of random sizes.
func sealed(t *rapid.T) []Fact {
	c := NewChain()
	var facts []Fact
	var prev []byte
	for range rapid.IntRange(1, 4).Draw(t, "appends") {
		a := Append{RequestID: "request", Expected: len(facts)}
		for range rapid.IntRange(1, 4).Draw(t, "facts") {
			a.Facts = append(a.Facts, NewFact{
				Type: rapid.StringN(1, 10, -1).Draw(t, "type"),
				At:   time.Unix(rapid.Int64Range(0, 1<<32).Draw(t, "at"), rapid.Int64Range(0, 999_999_999).Draw(t, "ns")),
				Data: rapid.SliceOfN(rapid.Byte(), 0, 50).Draw(t, "data"),
			})
		}
		facts = append(facts, c.Seal(&a, prev)...)
		prev = facts[len(facts)-1].Hash
	}
	return facts
}

func clone(facts []Fact) []Fact {
	facts = slices.Clone(facts)
	for i := range facts {
		facts[i].Data, facts[i].Hash = slices.Clone(facts[i].Data), slices.Clone(facts[i].Hash)
	}
	return facts
}

// TestTampering alters, removes, swaps and repeats facts: each is found, and the
// first bad version is named.
func TestTampering(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		facts := sealed(t)
		if err := VerifyChain(facts); err != nil {
			t.Fatal(err)
		}
		row := Row{RequestID: "request", Version: len(facts), Hash: facts[len(facts)-1].Hash}
		if err := VerifyHead(row, facts); err != nil {
			t.Fatal(err)
		}
		i := rapid.IntRange(0, len(facts)-1).Draw(t, "which")
		bad := clone(facts)
		want := i + 1
		switch how := rapid.SampledFrom([]string{"data", "type", "time", "version", "request", "hash", "removed", "cut", "repeated", "swapped"}).Draw(t, "how"); how {
		case "data":
			if n := len(bad[i].Data); n > 0 {
				bad[i].Data[rapid.IntRange(0, n-1).Draw(t, "byte")] ^= 1 << rapid.IntRange(0, 7).Draw(t, "bit")
			} else {
				bad[i].Data = []byte{0}
			}
		case "type":
			bad[i].Type += "x"
		case "time":
			bad[i].At = bad[i].At.Add(time.Microsecond)
		case "version":
			bad[i].Version++
		case "request":
			bad[i].RequestID += "x"
			if i == 0 {
				want = 1
			}
		case "hash":
			bad[i].Hash[rapid.IntRange(0, HashSize-1).Draw(t, "byte")] ^= 1
		case "removed", "cut":
			if how == "cut" {
				i = len(bad) - 1
				want = len(bad)
			}
			bad = slices.Delete(bad, i, i+1)
		case "repeated":
			bad = slices.Insert(bad, i, bad[i])
			want = i + 2
		case "swapped":
			if i == 0 {
				t.Skip()
			}
			bad[i-1], bad[i] = bad[i], bad[i-1]
			want = i
		}
		var broken *ChainError
		if err := VerifyHead(row, bad); !errors.As(err, &broken) || !errors.Is(err, ErrChain) || broken.Version != want {
			t.Fatalf("%v, want version %d", err, want)
		}
	})
}

// TestChainIsStable holds the form of what is hashed: journals outlive programs.
// The hashes were computed by another program from the description of [Chain].
func TestChainIsStable(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 20, 9, 30, 0, 123_456_789, time.FixedZone("", 3600))
	facts := NewChain().Seal(&Append{RequestID: "r", Facts: []NewFact{
		{Type: "request.accepted", At: at, Data: []byte("{}")},
		{Type: "task.sent", At: at},
	}}, nil)
	for i, want := range []string{
		"10f2e22c27867a588b09cfc6376c236261d1b592c6bc676ce8a3a59172cc6acd",
		"10480c3cfac09fedf7bc8a638216a269312e0ba56b900603718e0f77456cc5c2",
	} {
		if got := hex.EncodeToString(facts[i].Hash); got != want {
			t.Errorf("version %d: %s", i+1, got)
		}
	}
}

// TestBoundaries: what moves from one field to the next is another fact.
func TestBoundaries(t *testing.T) {
	t.Parallel()
	c := NewChain()
	seen := map[string]bool{}
	for _, f := range []Fact{
		{RequestID: "ab", Type: "c", Data: []byte("d")}, {RequestID: "a", Type: "bc", Data: []byte("d")},
		{RequestID: "a", Type: "b", Data: []byte("cd")}, {RequestID: "abcd"}, {Type: "abcd"}, {Data: []byte("abcd")},
	} {
		seen[string(c.Next(nil, nil, &f))] = true
	}
	if len(seen) != 6 {
		t.Errorf("%d different hashes", len(seen))
	}
	if err := VerifyChain(nil); err != nil {
		t.Error(err)
	}
}

func FuzzDecodeMessages(f *testing.F) {
	f.Add(EncodeMessages(nil, []Message{{Topic: "t", Key: "k", Headers: map[string]string{"a": "b"}, Payload: []byte("p")}, {Topic: "u"}}))
	f.Add([]byte{codecVersion, 0xff, 0xff, 0xff, 0xff, 0x0f})
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		messages, err := DecodeMessages(b)
		if err != nil {
			return
		}
		again, err := DecodeMessages(EncodeMessages(nil, messages))
		if err != nil || len(again) != len(messages) {
			t.Fatalf("%v: %v, %v", err, messages, again)
		}
	})
}

func TestCodec(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var messages []Message
		for range rapid.IntRange(0, 5).Draw(t, "n") {
			m := Message{Topic: rapid.SampledFrom([]string{"a", "b"}).Draw(t, "topic"), Key: rapid.SampledFrom([]string{"", "k"}).Draw(t, "key")}
			name := rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{"content-type", "ce_id", "ce_type", "ce_subject", ""}))
			value := rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{"", "same"}))
			if headers := rapid.MapOfN(name, value, 0, 4).Draw(t, "headers"); len(headers) > 0 {
				m.Headers = headers
			}
			if !rapid.Bool().Draw(t, "tombstone") {
				m.Payload = append([]byte{}, rapid.SliceOf(rapid.Byte()).Draw(t, "payload")...)
			}
			messages = append(messages, m)
		}
		b := EncodeMessages(nil, messages)
		got, err := DecodeMessages(b)
		if err != nil || len(got) != len(messages) {
			t.Fatalf("%v %v", got, err)
		}
		for i, m := range messages {
			g := got[i]
			if g.Topic != m.Topic || g.Key != m.Key || len(g.Headers) != len(m.Headers) || !bytes.Equal(g.Payload, m.Payload) || (g.Payload == nil) != (m.Payload == nil) {
				t.Fatalf("%#v, want %#v", g, m)
			}
			for k, v := range m.Headers {
				if g.Headers[k] != v {
					t.Fatalf("%q: %q, want %q", k, g.Headers[k], v)
				}
			}
		}
		for n := range b { // cut anywhere: an error, no panic
			if _, err := DecodeMessages(b[:n]); err == nil {
				t.Fatalf("cut at %d of %d is read", n, len(b))
			}
		}
	})
}
