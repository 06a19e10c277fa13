package core

import "time"

// callerFacts are the facts of what the caller was told.
var callerFacts = []factType{
	fact[CallerTold]("caller.told"),
	fact[CallerNotTold]("caller.not-told"),
}

// CallerTold says that the caller has been told of the changes up to a fact.
type CallerTold struct {
	Through int `json:"through"`
	Moment
}

func (e CallerTold) evolve(s State) State {
	s.CallerHeard = e.Through
	return s.called(e.Through)
}

// CallerNotTold says that the caller couldn't be told of the changes up to a fact.
type CallerNotTold struct {
	Through int    `json:"through"`
	Code    string `json:"code"`
	// Until is when it is tried again; the zero time: it isn't, and the caller never hears of
	// these changes by a call.
	Until time.Time `json:"until,omitzero"`
	Moment
}

func (e CallerNotTold) evolve(s State) State {
	if e.Until.IsZero() {
		s.CallsGivenUp, s.CallsGivenUpAt = e.Through, e.At
		return s.called(e.Through)
	}
	if s.CallUntil = e.Until; e.Code == CodeCallerRests {
		s.CallsRested++
	} else {
		s.CallsFailed++
	}
	return s
}
