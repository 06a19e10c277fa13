package paymentech

import (
	"encoding/json"
	"fmt"
	"strings"

	"slices"
)

// answer is what became of a call.
type answer struct {
	status  string
	message string
	ref     string
	profile profile // where one is told
}

// fold returns a reference as it is compared: without regard to case.
func fold(ref string) string { return strings.ToUpper(ref) }

// change is one line of the log.
type change struct {
	Ref     string  `json:"ref"`
	Profile profile `json:"profile"` // nil: deleted
}

func (s *Server) replay(line []byte) error {
	var c change
	if err := json.Unmarshal(line, &c); err != nil {
		return err
	}
	s.apply(c)
	return nil
}

func (s *Server) apply(c change) {
	if c.Profile == nil {
		delete(s.profiles, fold(c.Ref))
		return
	}
	s.profiles[fold(c.Ref)] = c.Profile
}

// keep logs a change and applies it. The caller holds the lock.
func (s *Server) keep(c change) error {
	if err := s.Append(c); err != nil {
		return err
	}
	s.apply(c)
	return nil
}

// do carries out one action on a profile: C, R, U or D as in the XML interface.
func (s *Server) do(action, ref string, given profile, trace string) (answer, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.Count(map[string]string{"C": "create", "R": "read", "U": "update", "D": "delete"}[action])
	call := action + " " + fold(ref) + fmt.Sprint(given)
	if t, ok := s.traces[trace]; ok && trace != "" && t.call == call && s.config.Clock().Sub(t.at) < traceLife {
		return t.answer, nil
	}
	if action != "R" && s.Locked() {
		return answer{status: statusBusy, message: "Unable to process at this time", ref: ref}, nil
	}
	a, err := s.act(action, ref, given)
	if err == nil && trace != "" && action != "R" {
		s.traces[trace] = traced{call, a, s.config.Clock()}
	}
	return a, err
}

func (s *Server) act(action, ref string, given profile) (answer, error) {
	p, ok := s.profiles[fold(ref)]
	deleted, was := s.gone[fold(ref)]
	still := was && s.config.Clock().Sub(deleted) < s.config.Settle
	switch {
	case action == "C":
		return s.create(ref, given)
	case action == "D" && was:
		s.Repeat()
	case action == "R" && (ok && !was || still):
		return s.shown(ref, p), nil
	}
	if !ok || was {
		return answer{status: s.config.NoProfile, ref: ref,
			message: fmt.Sprintf("Profile: Profile does not exist for Cust Ref Num: [%s] and MID: [%s].", ref, DefaultMerchantID)}, nil
	}
	if action == "D" {
		if slices.Contains(s.config.Billed, ref) {
			return answer{status: "9579", ref: ref, message: "Profile: Cannot delete profile. Managed Billing is active."}, nil
		}
		return s.remove(ref)
	}
	next := profile{}
	for name, v := range p {
		next[name] = v
	}
	for name, v := range given {
		next[name] = v
	}
	if err := s.keep(change{ref, next}); err != nil {
		return answer{}, err
	}
	return s.shown(ref, next), nil
}

// remove deletes a profile. While it is still shown it is kept in memory, and is
// no longer in the log.
func (s *Server) remove(ref string) (answer, error) {
	p := s.profiles[fold(ref)]
	if err := s.keep(change{Ref: ref}); err != nil {
		return answer{}, err
	}
	if s.config.Settle > 0 {
		s.profiles[fold(ref)] = p
	}
	s.gone[fold(ref)] = s.config.Clock()
	return answer{status: statusDone, message: "Profile Request Processed", ref: ref}, nil
}

func (s *Server) create(ref string, given profile) (answer, error) {
	if _, was := s.gone[fold(ref)]; !was && s.profiles[fold(ref)] != nil {
		return answer{status: statusExists, message: "Profile: Cannot Create profile. Profile already exists.", ref: ref}, nil
	}
	if given["ccAccountNum"] == "" && given["ecpCheckDDA"] == "" || ref == "" {
		return answer{status: statusIncomplete, message: "Profile: a reference and an account are needed.", ref: ref}, nil
	}
	if given["status"] == "" {
		given["status"] = "A"
	}
	delete(s.gone, fold(ref))
	given["customerRefNum"] = ref
	if err := s.keep(change{ref, given}); err != nil {
		return answer{}, err
	}
	return s.shown(ref, given), nil
}

func (s *Server) shown(ref string, p profile) answer {
	return answer{status: statusDone, message: "Profile Request Processed", ref: ref, profile: p}
}
