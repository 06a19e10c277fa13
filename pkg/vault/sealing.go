package vault

import (
	"bytes"
	"context"
	"crypto/cipher"
	"crypto/hpke"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"

	"habeas.dev/pkg/telemetry"
)

// maxSealing bounds how many sealing keys a vault has had: each rotation makes one.
const maxSealing = 64

// sealingName returns the name under which a sealing key lies in the key store, by its
// number from 0 on: that of no request. Each is created under a name of its own, so that of
// two that are made at once none takes the other's place (TestSealingKeysAtOnce).
func sealingName(number int) string {
	if number == 0 {
		return "sealing"
	}
	return "sealing." + strconv.Itoa(number)
}

// sealingPair is one sealing key as the master key wraps it: the secret of which its two
// halves come, and the key of what its holder has of each request.
type sealingPair struct {
	Half  []byte `json:"half"`
	Parts []byte `json:"parts"`
}

// sealing is one sealing key as this process knows it.
type sealing struct {
	blob    []byte // as it lies in the key store
	id      halfID
	private hpke.PrivateKey
	secret  []byte      // of parts
	parts   cipher.AEAD // of what its holder has of each request
}

// sealings are a vault's sealing keys, the newest first, as this process knows them.
type sealings struct {
	mu    sync.Mutex // held while they are read
	all   []sealing
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
func (v *Vault) sealers(ctx context.Context) ([]sealing, error) {
	v.sealings.mu.Lock()
	defer v.sealings.mu.Unlock()
	if time.Now().Before(v.sealings.until) {
		return v.sealings.all, nil
	}
	err := v.readSealings(ctx)
	return v.sealings.all, err
}

// sealer returns the sealing key of a number; it looks into the key store for one that this
// process doesn't know. [ErrCorrupt] where there is none.
func (v *Vault) sealer(ctx context.Context, id halfID) (sealing, error) {
	v.sealings.mu.Lock()
	defer v.sealings.mu.Unlock()
	of := func(s sealing) bool { return s.id == id }
	i := slices.IndexFunc(v.sealings.all, of)
	if i < 0 {
		if err := v.readSealings(ctx); err != nil {
			return sealing{}, err
		}
		if i = slices.IndexFunc(v.sealings.all, of); i < 0 {
			return sealing{}, ErrCorrupt
		}
	}
	return v.sealings.all[i], nil
}

// readSealings reads the sealing keys. The caller holds their lock.
func (v *Vault) readSealings(ctx context.Context) error {
	var all []sealing
	for number := range maxSealing {
		blob, err := v.keys.ReadKey(ctx, sealingName(number))
		if errors.Is(err, ErrNoKeys) {
			break
		}
		var s sealing
		if err == nil {
			s, err = v.openSealing(ctx, blob)
		}
		if err != nil {
			return fmt.Errorf("sealing keys: %w", err)
		}
		all = append(all, s)
	}
	slices.Reverse(all)
	v.sealings.all, v.sealings.until = all, time.Now().Add(CacheTTL)
	return nil
}

// openSealing opens a sealing key as it lies in the key store. What this process has opened
// before needn't be unwrapped again: the master key may be a service that counts calls.
func (v *Vault) openSealing(ctx context.Context, blob []byte) (sealing, error) {
	if i := slices.IndexFunc(v.sealings.all, func(s sealing) bool { return bytes.Equal(s.blob, blob) }); i >= 0 {
		return v.sealings.all[i], nil
	}
	w, err := parseWrapped(blob)
	if err != nil {
		return sealing{}, err
	}
	plain, err := v.unwrapKeys(ctx, w.sealed)
	if err != nil {
		return sealing{}, err
	}
	defer clear(plain)
	var p sealingPair
	if err := json.Unmarshal(plain, &p); err != nil || len(p.Half) != rootBytes || len(p.Parts) != rootBytes {
		return sealing{}, ErrCorrupt
	}
	k := privateHalf(p.Half)
	return sealing{blob: blob, id: idOf(k.PublicKey()), private: k, secret: p.Parts, parts: newAEAD(p.Parts)}, nil
}

// MakeSealingKey makes the vault a sealing key where it has none, and another one where anew
// is set; what was sealed to earlier ones opens as before. It returns what the holder of the
// newest is to have. Requests of before aren't in it: [Vault.GiveSealer].
func (v *Vault) MakeSealingKey(ctx context.Context, anew bool) (SealingKey, error) {
	v.sealings.mu.Lock()
	defer v.sealings.mu.Unlock()
	err := v.readSealings(ctx)
	for made := false; err == nil && !made && (anew || len(v.sealings.all) == 0); {
		if made, err = v.addSealing(ctx, len(v.sealings.all)); err == nil {
			err = v.readSealings(ctx)
		}
	}
	if err != nil {
		return SealingKey{}, fmt.Errorf("vault: %w", err)
	}
	k := SealingKey{Version: sealingVersion, Public: v.sealings.all[0].private.PublicKey().Bytes(), Index: slices.Clone(v.indexSecret)}
	for _, s := range v.sealings.all {
		k.Parts = append(k.Parts, slices.Clone(s.secret))
	}
	return k, nil
}

// addSealing makes a sealing key of a number, and reports whether it did: it doesn't where
// another process has just made it.
func (v *Vault) addSealing(ctx context.Context, number int) (bool, error) {
	if number >= maxSealing {
		return false, fmt.Errorf("the vault has %d sealing keys: no more are made", maxSealing)
	}
	p := sealingPair{Half: make([]byte, rootBytes), Parts: make([]byte, rootBytes)}
	rand.Read(p.Half)  // never fails
	rand.Read(p.Parts) // never fails
	plain, err := json.Marshal(p)
	if err != nil {
		return false, err
	}
	defer clear(plain)
	id := idOf(privateHalf(p.Half).PublicKey())
	w := wrapped{by: byMaster, part: id[:]}
	if w.sealed, err = v.wrap(ctx, plain); err != nil {
		return false, err
	}
	blob, err := w.bytes()
	if err != nil {
		return false, err
	}
	err = v.keys.CreateKey(ctx, sealingName(number), blob)
	if errors.Is(err, ErrKeyExists) {
		return false, nil
	}
	return err == nil, err
}

// GiveSealer gives the holder of the vault's newest sealing key its part of every request
// that has keys, where it hasn't got it, and wraps by the master key what an older one has
// sealed. Everything can run meanwhile; what it has done it needn't do again. It returns of
// how many keys it did so, and of how many.
//
// What [Vault.Rewrap] says of keys that are ended meanwhile, and of those that can't be
// opened, holds here.
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
	err = v.eachWhole(ctx, func(name string) error {
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
func (v *Vault) giveSealer(ctx context.Context, to sealing, requestID string, which Root) (bool, error) {
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
