package paymentech

import (
	"net/http"

	"habeas.dev/services/sandbox/fault"
)

// spoils returns the ways in which answers must not count. One answer is about one
// profile: what is missing is its reference or its status.
func spoils() map[string]fault.Spoil {
	var passing []fault.Answer
	for _, status := range []string{"1", "40", "9990", "9999"} {
		passing = append(passing, says(http.StatusBadRequest, status), says(http.StatusOK, status))
	}
	return fault.Spoils(map[string]fault.Spoil{
		fault.Short:   fault.Without("order", "procStatus"),
		fault.Emptied: fault.Says(fault.Answer{Status: http.StatusOK, Body: []byte("{}")}),
		fault.Passing: fault.Says(append(passing, says(http.StatusInternalServerError, "20500"))...),
		fault.Unknown: fault.Says(says(http.StatusBadRequest, "8888")),
	})
}

func says(code int, status string) fault.Answer {
	return fault.Answer{Status: code, Body: []byte(`{"procStatus":"` + status + `","procStatusMessage":"Try again."}`)}
}
