package httpsystem

import (
	"bufio"
	"bytes"
	"errors"
	"io"

	"habeas.dev/pkg/vendorapi"
	"habeas.dev/pkg/worker"
)

// errCut is an answer that broke off.
const errCut = malformed("the answer has no last line, or one that counts others: it was cut")

// read reads an answer, line by line, and hands each task its own. Its error is about the
// whole answer, of which nothing counts then.
func (s *System) read(tasks map[string]*task, in io.Reader) error {
	lines := bufio.NewScanner(in)
	lines.Buffer(make([]byte, 0, 64<<10), MaxLine)
	var n int64
	for lines.Scan() {
		if len(bytes.TrimSpace(lines.Bytes())) == 0 {
			continue
		}
		l, err := readLine(lines.Bytes())
		if err != nil {
			return err
		}
		if l.End != nil {
			if l.End.Lines != n || lines.Scan() {
				return errCut
			}
			return lines.Err()
		}
		n++
		if l.Task == "" {
			continue // a sign of life
		}
		t := tasks[l.Task]
		if t == nil || t.ended {
			return malformed("a line is of a task that wasn't asked for, or that had ended")
		}
		if err := s.takeLine(t, l); err != nil {
			return err
		}
	}
	switch err := lines.Err(); {
	case errors.Is(err, bufio.ErrTooLong):
		return malformed("a line is longer than 1 MiB")
	case err != nil:
		return err
	}
	return errCut
}

// takeLine hands a task one of its lines. What an error means for the task alone stays in
// it; the others go on.
func (s *System) takeLine(t *task, l *line) error {
	var err error
	switch {
	case l.Error != nil:
		t.ended = true
		err = l.Error.error(s.config.Now())
	case l.Done:
		if t.ended = true; t.err == nil {
			err = t.end()
		}
	case l.Note != "":
		t.job.Note(worker.Note{Text: l.Note})
	case t.err == nil:
		err = t.take(l)
	}
	if m := malformed(""); errors.As(err, &m) {
		return err
	}
	if err != nil {
		t.err = err
	}
	return nil
}

// broken is the code of an answer that isn't of the contract.
const broken = "broken-answer"

// readError says what an answer that can't be read means: it is asked for again.
func readError(err error) error {
	var m malformed
	if errors.As(err, &m) {
		return vendorapi.Unsure(broken, "the service's answer isn't of the contract: "+string(m), err)
	}
	return err
}
