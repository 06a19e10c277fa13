package main

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/uuid"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/identifier"
	"habeas.dev/pkg/vault"
	"habeas.dev/services/habeas/node"
	"habeas.dev/services/habeas/upstream"
	"habeas.dev/services/internal/broker"
	"habeas.dev/services/internal/config"
)

// TestHostileIntake: an installation whose intake had the master key is given one that has
// a sealing key instead, while the rest of it runs. Requests go on, what came before is known
// when it comes again, and the same person is the same person. Whoever has all that this
// intake has, and the journal, the keys' store and every fact, opens nothing of any request.
func TestHostileIntake(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("starts six processes")
	}
	b, err := broker.Start(t.Context(), broker.Config{Dir: filepath.Join(t.TempDir(), "kafka")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	f := newFleet(t, []string{b.Addr()}, "", 40)
	f.start("coordinator")
	f.start("aggregator")
	f.start("letters")
	f.start(append([]string{"worker"}, append(f.halves("")[0], f.halves("")[1]...)...)...)
	opens := f.start("intake", "--listen", "127.0.0.1:0")
	if !strings.Contains(opens.logs.String(), "this intake holds the master key") {
		t.Error("nobody is told that intake opens everything")
	}
	f.settle()
	p := &pipeline{T: t, people: f.people, n: &node.Node{Config: f.cfg, Installation: f.in}}
	ask := func(door *member, id string, person int) error {
		r := upstream.Request{ID: id, Right: dsar.Access, Jurisdiction: "EEA", Locale: "en", Source: "test", ReceivedAt: received, Email: f.people.Person(person).Email}
		_, err := upstream.Post(t.Context(), door.url, "", r.JSON())
		return err
	}
	before, after := uuid.NewString(), uuid.NewString()
	if err := ask(opens, before, 1); err != nil {
		t.Fatal(err)
	}
	p.wait(before)

	seals, file := f.sealingIntake(opens)
	if err := ask(seals, before, 1); err != nil {
		t.Errorf("what came before, again: %v", err)
	}
	if err := ask(seals, before, 2); err == nil || !strings.Contains(err.Error(), http.StatusText(http.StatusConflict)) && !strings.Contains(err.Error(), "409") {
		t.Errorf("other content under its id: %v", err)
	}
	if err := ask(seals, after, 1); err != nil {
		t.Fatal(err)
	}
	p.wait(after)
	p.holds(after, 1)
	state, err := f.in.Requests.State(t.Context(), after)
	if err != nil || state.Accepted.EarlierRequests != 1 {
		t.Errorf("%d requests of the same person before, %v", state.Accepted.EarlierRequests, err)
	}
	f.opensNothing(file, before, after)
}

// sealingIntake replaces an intake by one that has a sealing key and no master key, and
// returns it with the key's file.
func (f *fleet) sealingIntake(opens *member) (*member, string) {
	f.Helper()
	key := filepath.Join(f.TempDir(), "sealing.key")
	give := func() {
		f.Helper()
		if out, err := command(f.Context(), "keys", "sealing", key, "--config", f.file).CombinedOutput(); err != nil {
			f.Fatalf("%v\n%s", err, out)
		}
	}
	give()
	cfg := f.cfg
	cfg.Vault.SealingKey, cfg.Vault.Key = key, "file://"+filepath.ToSlash(filepath.Join(f.TempDir(), "no", "master.key"))
	file := filepath.Join(f.TempDir(), config.File)
	f.write(file, cfg)
	seals := f.startWith(file, "intake", "--listen", "127.0.0.1:0")
	if strings.Contains(seals.logs.String(), "master key") {
		f.Errorf("it says: %s", seals.logs.String())
	}
	opens.stopGently()
	give()
	return seals, key
}

// opensNothing tries to open every sealed value in the facts of some requests as who has all
// that intake has. Each request has some that open by the master key.
func (f *fleet) opensNothing(file string, requests ...string) {
	f.Helper()
	key, err := vault.ReadSealingKey(file)
	if err != nil {
		f.Fatal(err)
	}
	intake, err := vault.OpenSealer(f.Context(), vault.Config{Keys: f.cfg.Vault.Keys, Identifiers: identifier.Rules{}}, file)
	if err != nil {
		f.Fatal(err)
	}
	defer intake.Close()
	held := append([][]byte{key.Public, key.Index}, key.Parts...)
	for _, secret := range held {
		_, err := vault.Open(f.Context(), vault.Config{Bucket: f.cfg.Vault.Bucket, Apart: true, Keys: f.cfg.Vault.Keys, Key: "base64key://" + base64.StdEncoding.EncodeToString(secret)})
		if !errors.Is(err, vault.ErrWrongKey) {
			f.Errorf("what intake holds is a master key: %v", err)
		}
	}
	for _, id := range requests {
		facts, err := f.in.Journal.Facts(f.Context(), id, 1)
		if err != nil {
			f.Fatal(err)
		}
		right, err := f.in.Vault.Keys(f.Context(), id)
		if err != nil {
			f.Fatal(err)
		}
		var wrong []*vault.Keys
		for _, keysOf := range []func() (*vault.Keys, error){
			func() (*vault.Keys, error) { return intake.Keys(f.Context(), id) },
			func() (*vault.Keys, error) { return intake.CreateKeys(f.Context(), id) },
		} {
			k, err := keysOf()
			if err != nil {
				f.Fatal(err)
			}
			wrong = append(wrong, k)
		}
		for _, secret := range held {
			k, err := vault.ValueKeys(id, secret, secret)
			if err != nil {
				f.Fatal(err)
			}
			wrong = append(wrong, k)
		}
		sealed := 0
		for _, fact := range facts {
			for _, value := range base64Of(f, fact.Data) {
				for _, kind := range []vault.Kind{vault.Identifier, vault.RequestDetails, vault.ReportDetail, vault.Remark, vault.Receipt, vault.BundleKey} {
					if _, err := right.Open(value, kind); err != nil {
						continue
					}
					sealed++
					for i, k := range wrong {
						if plain, err := k.Open(value, kind); err == nil {
							f.Errorf("%s: intake opens %s, by %d: %q", id, kind, i, plain)
						}
					}
				}
			}
		}
		if sealed < 2 { // an identifier, and the answer's key
			f.Errorf("%s has %d sealed values", id, sealed)
		}
		if _, err := wrong[0].ObjectKey(dsar.Aggregator + "/assemble/1"); !errors.Is(err, vault.ErrSealsOnly) {
			f.Errorf("intake has keys of objects: %v", err)
		}
	}
}

// base64Of returns what texts of a fact are base64 of.
func base64Of(f *fleet, data []byte) (all [][]byte) {
	var tree any
	if err := json.Unmarshal(data, &tree); err != nil {
		f.Fatal(err)
	}
	var walk func(v any)
	walk = func(v any) {
		switch v := v.(type) {
		case map[string]any:
			for _, one := range v {
				walk(one)
			}
		case []any:
			for _, one := range v {
				walk(one)
			}
		case string:
			if b, err := base64.StdEncoding.DecodeString(v); err == nil && len(b) >= 28 {
				all = append(all, b)
			}
		}
	}
	walk(tree)
	return all
}
