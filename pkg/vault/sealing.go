package vault

import (
	"context"
	"crypto/cipher"
	"crypto/hpke"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"habeas.dev/pkg/telemetry"
)

// sealingKey is the name of the sealing keys in the key store. It is no request's.
const sealingKey = "sealing"

// maxSealing bounds how many sealing keys a vault has had: each rotation makes one.
const maxSealing = 64

// sealingPair is one sealing key as the master key wraps it: the secret of which its two
// halves come, and the key of what its holder has of each request.
type sealingPair struct {
	Half  []byte `json:"half"`
	Parts []byte `json:"parts"`
}

// opener opens what was sealed to one sealing key.
type opener struct {
	id      halfID
	private hpke.PrivateKey
	parts   cipher.AEAD
}

// sealings are a vault's sealing keys, the newest first, as this process knows them.
type sealings struct {
	mu    sync.Mutex // held while they are read
	pairs []sealingPair
	all   []opener
	until time.Time
}

// SealingKey is what the holder of a vault's sealing key has: by it a [Sealer] makes
// requests' keys and seals, and opens nothing. It is a secret all the same: with the key
// store, whoever has it can try whether an identifier is one of a request's.
type SealingKey struct {
	Version int `json:"v"`
	// Public is the half that keys are sealed to.
	Public []byte `json:"public"`
	// Parts are the keys of what the holder has of each request, the newest first.
	Parts [][]byte `json:"parts"`
	// Index is the key of fingerprints across requests.
	Index []byte `json:"index"`
}

const sealingVersion = 1

// ErrNoSealingKey says that the vault has no sealing key.
var ErrNoSealingKey = telemetry.Constant("the vault has no sealing key: make one with habeas keys sealing")

// sealers returns the sealing keys as this process knows them, for as long as opened keys
// are used without a look into the key store; none where there are none.
func (v *Vault) sealers(ctx context.Context) ([]opener, error) {
	v.sealings.mu.Lock()
	defer v.sealings.mu.Unlock()
	if time.Now().Before(v.sealings.until) {
		return v.sealings.all, nil
	}
	return v.sealings.all, v.readSealings(ctx)
}

// sealer returns the sealing key of a number; it looks into the key store for one that this
// process doesn't know. [ErrCorrupt] where there is none.
func (v *Vault) sealer(ctx context.Context, id halfID) (opener, error) {
	v.sealings.mu.Lock()
	defer v.sealings.mu.Unlock()
	of := func(o opener) bool { return o.id == id }
	i := slices.IndexFunc(v.sealings.all, of)
	if i < 0 {
		if err := v.readSealings(ctx); err != nil {
			return opener{}, err
		}
		if i = slices.IndexFunc(v.sealings.all, of); i < 0 {
			return opener{}, ErrCorrupt
		}
	}
	return v.sealings.all[i], nil
}

// readSealings reads the sealing keys. The caller holds their lock.
func (v *Vault) readSealings(ctx context.Context) error {
	blob, err := v.keys.ReadKey(ctx, sealingKey)
	if errors.Is(err, ErrNoKeys) {
		v.sealings.until = time.Now().Add(CacheTTL)
		return nil
	}
	if err != nil {
		return fmt.Errorf("sealing keys: %w", err)
	}
	w, err := parseWrapped(blob)
	if err != nil {
		return fmt.Errorf("sealing keys: %w", err)
	}
	plain, err := v.unwrapKeys(ctx, w.sealed)
	if err != nil {
		return fmt.Errorf("sealing keys: %w", err)
	}
	defer clear(plain)
	var pairs []sealingPair
	if err := json.Unmarshal(plain, &pairs); err != nil || len(pairs) == 0 {
		return fmt.Errorf("sealing keys: %w", ErrCorrupt)
	}
	all := make([]opener, len(pairs))
	for i, p := range pairs {
		if len(p.Half) != rootBytes || len(p.Parts) != rootBytes {
			return fmt.Errorf("sealing keys: %w", ErrCorrupt)
		}
		k := privateHalf(p.Half)
		all[i] = opener{id: idOf(k.PublicKey()), private: k, parts: newAEAD(p.Parts)}
	}
	v.sealings.pairs, v.sealings.all, v.sealings.until = pairs, all, time.Now().Add(CacheTTL)
	return nil
}

// MakeSealingKey makes the vault a sealing key where it has none, and another one where anew
// is set; what was sealed to earlier ones opens as before. It returns what its holder is to
// have. Requests of before aren't in it: [Vault.GiveSealer].
func (v *Vault) MakeSealingKey(ctx context.Context, anew bool) (SealingKey, error) {
	v.sealings.mu.Lock()
	defer v.sealings.mu.Unlock()
	if err := v.readSealings(ctx); err != nil {
		return SealingKey{}, fmt.Errorf("vault: %w", err)
	}
	if none := len(v.sealings.pairs) == 0; none || anew {
		if err := v.addSealing(ctx, none); err != nil {
			return SealingKey{}, fmt.Errorf("vault: %w", err)
		}
	}
	k := SealingKey{Version: sealingVersion, Public: v.sealings.all[0].private.PublicKey().Bytes(), Index: slices.Clone(v.indexSecret)}
	for _, p := range v.sealings.pairs {
		k.Parts = append(k.Parts, slices.Clone(p.Parts))
	}
	return k, nil
}

// addSealing puts a sealing key before those that there are, and reads them back: where
// another process has made the first one, that counts.
func (v *Vault) addSealing(ctx context.Context, first bool) error {
	if len(v.sealings.pairs) >= maxSealing {
		return fmt.Errorf("the vault has %d sealing keys: no more are made", maxSealing)
	}
	p := sealingPair{Half: make([]byte, rootBytes), Parts: make([]byte, rootBytes)}
	rand.Read(p.Half)  // never fails
	rand.Read(p.Parts) // never fails
	plain, err := json.Marshal(append([]sealingPair{p}, v.sealings.pairs...))
	if err != nil {
		return err
	}
	defer clear(plain)
	id := idOf(privateHalf(p.Half).PublicKey())
	w := wrapped{by: byMaster, part: id[:]}
	for _, o := range v.sealings.all {
		w.part = append(w.part, o.id[:]...)
	}
	if w.sealed, err = v.wrap(ctx, plain); err != nil {
		return err
	}
	blob, err := w.bytes()
	if err != nil {
		return err
	}
	if first {
		err = v.keys.CreateKey(ctx, sealingKey, blob)
		if errors.Is(err, ErrKeyExists) {
			err = nil
		}
	} else {
		err = v.keys.ReplaceKey(ctx, sealingKey, blob)
	}
	if err != nil {
		return err
	}
	return v.readSealings(ctx)
}

// GiveSealer gives the holder of the vault's newest sealing key its part of every request
// that has keys, where it hasn't got it, and wraps by the master key what an older one has
// sealed. Everything can run meanwhile; what it has done it needn't do again. It returns of
// how many keys it did so, and of how many.
//
// What [Vault.Rewrap] says of keys that are ended meanwhile holds here.
func (v *Vault) GiveSealer(ctx context.Context) (given, all int, err error) {
	v.sealings.mu.Lock()
	err = v.readSealings(ctx)
	sealers := v.sealings.all
	v.sealings.mu.Unlock()
	if err != nil {
		return 0, 0, fmt.Errorf("vault: %w", err)
	}
	if len(sealers) == 0 {
		return 0, 0, fmt.Errorf("vault: %w", ErrNoSealingKey)
	}
	err = v.eachName(ctx, func(name string) error {
		requestID, which, ok := rootOfName(name)
		if !ok {
			return nil
		}
		all++
		done, err := v.giveSealer(ctx, sealers[0], requestID, which)
		if done {
			given++
		}
		return err
	})
	return given, all, err
}

// giveSealer does it of one root.
func (v *Vault) giveSealer(ctx context.Context, to opener, requestID string, which Root) (bool, error) {
	name := rootName(requestID, which)
	w, blob, err := v.wrappedKey(ctx, name)
	if err != nil || blob == nil {
		return false, err
	}
	_, missing := openPart([]cipher.AEAD{to.parts}, requestID, w.part)
	if sealedHere := w.by == byMaster || isOf(w, to.id); sealedHere && (which != SubjectRoot || missing == nil) {
		return false, nil
	}
	plain, err := v.unwrapRoot(ctx, w, requestID, which)
	if err != nil {
		return false, fmt.Errorf("%s: %w", name, err)
	}
	defer clear(plain)
	secret, err := parseRoot(requestID, which, plain)
	if err != nil {
		return false, fmt.Errorf("%s: %w", name, err)
	}
	w = wrapped{by: byMaster}
	if which == SubjectRoot {
		w.part = partOf(requestID, secret).seal(to.parts, requestID)
	}
	if w.sealed, err = v.wrap(ctx, plain); err != nil {
		return false, err
	}
	return v.replaceUnchanged(ctx, name, blob, w)
}

// replaceUnchanged puts a wrapped secret in the place of another, if that is there still.
func (v *Vault) replaceUnchanged(ctx context.Context, name string, was []byte, w wrapped) (bool, error) {
	anew, err := w.bytes()
	if err != nil {
		return false, err
	}
	if now, err := v.keys.ReadKey(ctx, name); err != nil || string(now) != string(was) {
		return false, err // it was ended meanwhile
	}
	return true, v.keys.ReplaceKey(ctx, name, anew)
}

// isOf reports whether a secret is sealed to the sealing key of a number.
func isOf(w wrapped, id halfID) bool {
	return w.by == byPublic && len(w.sealed) > len(id) && halfID(w.sealed[:len(id)]) == id
}

// unwrapRoot opens a root as it lies in the key store.
func (v *Vault) unwrapRoot(ctx context.Context, w wrapped, requestID string, which Root) ([]byte, error) {
	if w.by == byMaster {
		return v.unwrapKeys(ctx, w.sealed)
	}
	if len(w.sealed) < len(halfID{}) {
		return nil, ErrCorrupt
	}
	id := halfID(w.sealed[:len(halfID{})])
	by, err := v.sealer(ctx, id)
	if err != nil {
		return nil, err
	}
	return openBy(by.private, bind("root", requestID, which.String()), w.sealed[len(id):])
}
