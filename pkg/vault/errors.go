package vault

import (
	"errors"
	"fmt"
	"io/fs"
	"syscall"

	"habeas.dev/pkg/telemetry"
)

// The errors that callers tell apart, with [errors.Is]. Their text names
// requests and objects by id and never holds anything of what was sealed.
var (
	// ErrNoKeys says that no key set was ever created for the request, or that the key store is
	// older than it.
	ErrNoKeys = telemetry.Constant("there are no keys of the request: if the key store was restored from a backup, restore a newer copy")
	// ErrShredded says that the request's keys were destroyed. It is final.
	ErrShredded = telemetry.Constant("the request's keys were destroyed")
	// ErrNoObject says that the object was never committed, or was deleted.
	ErrNoObject = telemetry.Constant("no such object")
	// ErrCorrupt says that a sealed thing was changed, cut short, or sealed for
	// another request, name or kind. Nothing read of it is to be trusted.
	ErrCorrupt = telemetry.Constant("damaged, cut short, or sealed for another place")
	// ErrWrongKey says that the master key isn't the one that this vault was
	// set up with, or was rotated to last.
	ErrWrongKey = telemetry.Constant("wrong master key: give the one that this vault was set up with, or the newest where it was rotated; a restored key store has that of its time")
	// ErrSealsOnly says that the keys are those of a [Sealer], which opens nothing.
	ErrSealsOnly = telemetry.Constant("the sealing key opens nothing: only the master key does")
	// ErrNoPart says that a request's keys were made by who gave the holder of the sealing
	// key no part of them.
	ErrNoPart = telemetry.Constant("the sealing key has no part of this request's keys: run habeas keys sealing where the master key is")
	// ErrName says that a request id or an object's name has a form that the
	// vault doesn't take. The error doesn't repeat it: it may be anything.
	ErrName = telemetry.Constant("not a valid name")
	// ErrAborted says that an object's writer was aborted before it was closed.
	ErrAborted = telemetry.Constant("the object's writer was aborted")
)

// errNoKind is a mistake of the caller: it seals what it doesn't name.
var errNoKind = telemetry.Constant("a value of no kind isn't sealed")

// diskError puts the cure before what the operating system says.
func diskError(dir string, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return fmt.Errorf("the disk of %s is full: free some space and try again: %w", dir, err)
	case errors.Is(err, syscall.EROFS), errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("%s can't be read or written: give this user the right to, or choose another directory: %w", dir, err)
	default:
		return err
	}
}
