package config

import (
	"fmt"
	"net/url"
	"os"
	"path/filepath"

	"habeas.dev/services/internal/signkey"
)

// Receipts is who signs answers and receipts, and with which keys. `habeas keys init`
// makes the keys; a process that runs everything makes those that are missing below
// Data.
type Receipts struct {
	// Name is the installation's, under which it signs: a host's name and perhaps a
	// path; default localhost/habeas. Who checks a signature knows it by this name, so it
	// stays as it is.
	Name string `yaml:"name"`
	// BundleKey is the file of the key that signs answers; default DATA/keys/bundles.key.
	BundleKey string `yaml:"bundle_key"`
	// LogKey is the file of the key that signs the transparency log; default
	// DATA/keys/log.key.
	LogKey string `yaml:"log_key"`
	// Mirror is a folder or a bucket URL outside of the journal, the vault and their
	// backups: the log's leaves and checkpoints go there before a receipt leaves, and the
	// list by which a restored backup of keys is shredded again. Default DATA/mirror, which
	// is outside of nothing.
	Mirror string `yaml:"mirror"`
	// Witnesses are URLs of witnesses (c2sp.org/tlog-witness) that must cosign a
	// checkpoint before a receipt ends in it.
	Witnesses []string `yaml:"witnesses"`
}

// Keep says how long Habeas keeps what it holds of requests itself. It holds for
// requests that come from then on.
type Keep struct {
	// AnswerDays is how long records and answer are kept after the answer was made
	// available; default 30.
	AnswerDays int `yaml:"answer_days"`
	// AccountabilityMonths is how long it is kept whom a request was about, after it
	// ended. Default 0: as the law's file says (accountability), 24 where it says nothing.
	// Where a law fixes a number, as 11 CCR 7101 does, a shorter one is not taken.
	AccountabilityMonths int `yaml:"accountability_months"`
	// BackupDays is how long the longest of the systems' backups lives: an erasure is
	// known until then, so that it can be done again after one was restored.
	BackupDays int `yaml:"backup_days"`
}

// The defaults, and the bounds of what is no slip of the pen.
const (
	defaultAnswerDays = 30
	maxKeepDays       = 3660
	maxKeepMonths     = 1200
)

func (k Keep) check() error {
	switch {
	case k.AnswerDays < 1 || k.AnswerDays > maxKeepDays:
		return fmt.Errorf("keep.answer_days is %d; from 1 to %d", k.AnswerDays, maxKeepDays)
	case k.AccountabilityMonths < 0 || k.AccountabilityMonths > maxKeepMonths:
		return fmt.Errorf("keep.accountability_months is %d; from 0 to %d", k.AccountabilityMonths, maxKeepMonths)
	case k.BackupDays < 0 || k.BackupDays > maxKeepDays:
		return fmt.Errorf("keep.backup_days is %d; from 0 to %d", k.BackupDays, maxKeepDays)
	}
	return nil
}

// defaultName is whose name installations have that set none: a demo's.
const defaultName = "localhost/habeas"

// SignsReceipts reports whether the log of receipts is signed, as far as a component can
// tell that isn't given the key: by the name or the key's place that was configured, or by
// the key itself.
func (c Config) SignsReceipts() bool {
	if c.Receipts.Name != defaultName || c.Receipts.LogKey != c.ownLogKey() {
		return true
	}
	_, err := os.Stat(c.Receipts.LogKey)
	return err == nil
}

// ownLogKey returns where the log's key lies that nobody has configured.
func (c Config) ownLogKey() string { return filepath.Join(c.Room(RoomKeys), "log.key") }

func (r Receipts) check() error {
	if err := signkey.CheckOrigin(r.Name); err != nil {
		return fmt.Errorf("receipts.name %q: %w", r.Name, err)
	}
	for _, w := range r.Witnesses {
		if u, err := url.Parse(w); err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" {
			return fmt.Errorf("receipts.witnesses: %q is no URL of a witness, as https://witness.example.org/", w)
		}
	}
	return nil
}
