package bus

import (
	"errors"
	"fmt"
	"strings"

	"github.com/segmentio/kafka-go"
)

// brokersError is an error of the brokers, with what mostly causes it.
type brokersError struct {
	at, why string
	err     error
}

func (e *brokersError) Error() string {
	return fmt.Sprintf("bus: brokers at %s: %s: %v", e.at, e.why, e.err)
}

// Summary says why without saying where, so it may be shown to anyone.
func (e *brokersError) Summary() string { return e.why }
func (e *brokersError) Unwrap() error   { return e.err }

// explain adds to a connection's error what mostly causes it. A wrong password
// comes back from kafka-go as the same error as when nothing listens, so both are
// named.
func explain(brokers []string, err error) error {
	if err == nil {
		return nil
	}
	e := &brokersError{at: strings.Join(brokers, ","), err: err}
	var code kafka.Error
	switch {
	case errors.Is(err, kafka.SASLAuthenticationFailed), errors.Is(err, kafka.UnsupportedSASLMechanism), errors.Is(err, kafka.IllegalSASLState):
		e.why = "they refused the sign-in: check the SASL mechanism, user and password"
	case errors.Is(err, kafka.TopicAuthorizationFailed), errors.Is(err, kafka.GroupAuthorizationFailed), errors.Is(err, kafka.ClusterAuthorizationFailed):
		e.why = "this user may not do that: check its ACLs"
	case errors.As(err, &code) && code != kafka.BrokerNotAvailable:
		e.why = "they answered with an error"
	default:
		e.why = "they can't be used: either nothing listens there (or it speaks TLS and we don't, or the other way round), or the SASL user or password is wrong"
	}
	return e
}

// temporary reports whether trying again can help. What isn't Kafka's own error is
// a network's.
func temporary(err error) bool {
	var code kafka.Error
	return !errors.As(err, &code) || passing(code)
}

// passing reports whether a Kafka error ends by itself, as one does while a leader
// is elected. kafka-go answers BrokerNotAvailable for a leader that it has no
// address of yet.
func passing(code kafka.Error) bool { return code.Temporary() || code == kafka.BrokerNotAvailable }
