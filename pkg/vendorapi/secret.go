package vendorapi

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
)

// Secret is a vendor's secret: of a file, of an environment variable, of a store
// of secrets, or given. It is read anew each time, so that a secret can be changed while a worker
// runs, by whatever writes the file (a mounted Kubernetes secret, an agent of a
// secret store). However it is printed, it shows where it comes from, and
// nothing of what it is (TestSecretIsNotPrinted).
type Secret struct {
	file, env, value string
	store            *store
}

// store is where a secret is that is neither in a file nor in a variable.
type store struct {
	name string
	read func() (string, error)
}

// SecretFile returns the content of a file, without the white space around it.
func SecretFile(path string) Secret { return Secret{file: path} }

// SecretEnv returns an environment variable's.
func SecretEnv(name string) Secret { return Secret{env: name} }

// SecretStore returns what a store of secrets has at the moment. name says where it
// is; neither it nor the error of read may tell what the secret is.
func SecretStore(name string, read func() (string, error)) Secret {
	return Secret{store: &store{name, read}}
}

// SecretValue returns a secret whose value is given.
func SecretValue(value string) Secret { return Secret{value: value} }

// maxSecret bounds a secret's file, in bytes: a private key of 8192 bits in PEM
// has under 7 KB.
const maxSecret = 64 << 10

// IsZero reports whether there is none.
func (s Secret) IsZero() bool { return s == Secret{} }

// Read returns the secret as it is now. Its errors name the place only.
func (s Secret) Read() (string, error) {
	switch {
	case s.file != "":
		info, err := os.Stat(s.file)
		if err == nil && info.Size() > maxSecret {
			return "", fmt.Errorf("%s: it is larger than %d bytes", s, maxSecret)
		}
		b, err := os.ReadFile(s.file)
		if err != nil {
			return "", fmt.Errorf("%s: %w", s, err)
		}
		if t := strings.TrimSpace(string(b)); t != "" {
			return t, nil
		}
		return "", fmt.Errorf("%s: it is empty", s)
	case s.env != "":
		if t := strings.TrimSpace(os.Getenv(s.env)); t != "" {
			return t, nil
		}
		return "", fmt.Errorf("%s: it isn't set", s)
	case s.store != nil:
		t, err := s.store.read()
		if err != nil {
			return "", fmt.Errorf("%s: %w", s, err)
		}
		if t = strings.TrimSpace(t); t != "" {
			return t, nil
		}
		return "", fmt.Errorf("%s: it is empty", s)
	case s.value != "":
		return s.value, nil
	}
	return "", errors.New("no secret is given")
}

// String tells where the secret comes from.
func (s Secret) String() string {
	switch {
	case s.file != "":
		return "the secret in file " + s.file
	case s.env != "":
		return "the secret in variable " + s.env
	case s.store != nil:
		return "the secret at " + s.store.name
	case s.value != "":
		return "a secret"
	}
	return "no secret"
}

// Format writes String, whatever the verb.
func (s Secret) Format(f fmt.State, _ rune) { fmt.Fprint(f, s.String()) }

// LogValue returns String as a log's value.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalText returns String, so that no encoder shows more.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }
