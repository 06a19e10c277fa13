package bus

import (
	"errors"
	"fmt"
	"strings"

	"github.com/segmentio/kafka-go"
)

// explain adds to a connection's error what mostly causes it. A wrong password
// comes back from kafka-go as the same error as when nothing listens, so both are
// named.
func explain(brokers []string, err error) error {
	if err == nil {
		return nil
	}
	at := strings.Join(brokers, ",")
	switch {
	case errors.Is(err, kafka.SASLAuthenticationFailed), errors.Is(err, kafka.UnsupportedSASLMechanism), errors.Is(err, kafka.IllegalSASLState):
		return fmt.Errorf("bus: brokers at %s refused the sign-in: check the SASL mechanism, user and password: %w", at, err)
	case errors.Is(err, kafka.TopicAuthorizationFailed), errors.Is(err, kafka.GroupAuthorizationFailed), errors.Is(err, kafka.ClusterAuthorizationFailed):
		return fmt.Errorf("bus: brokers at %s: this user may not do that: check its ACLs: %w", at, err)
	}
	var code kafka.Error
	if errors.As(err, &code) && code != kafka.BrokerNotAvailable {
		return fmt.Errorf("bus: brokers at %s: %w", at, err)
	}
	return fmt.Errorf("bus: cannot use the brokers at %s: either nothing listens there (or it speaks TLS and we don't, or the other way round), or the SASL user or password is wrong: %w", at, err)
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
