package kafkatest

import (
	"crypto/rand"
	"math/big"
	"net"
	"strconv"
)

// Ports are given in blocks, below those that systems give to outgoing
// connections: they must still be free when a broker comes again.
const (
	firstPort = 20000
	blocks    = 1250
	perBlock  = 8 // one to claim the block with, one for the controller, one for each protocol
)

// claimPorts gets so many ports for a broker. It takes seconds until a broker
// listens, and others look for ports at the same time, in other processes too: so
// the block's first port is listened on as long as the broker may come again, and
// whoever finds it taken looks elsewhere.
func claimPorts(n int) (claim net.Listener, ports []int) {
	for {
		block, err := rand.Int(rand.Reader, big.NewInt(blocks))
		if err != nil {
			panic(err) // it never fails
		}
		first := firstPort + perBlock*int(block.Int64())
		claim, err := listen(first)
		if err != nil {
			continue
		}
		ports = ports[:0]
		for port := first + 1; port <= first+n && free(port); port++ {
			ports = append(ports, port)
		}
		if len(ports) == n {
			return claim, ports
		}
		_ = claim.Close()
	}
}

// ClaimPort gets a port of the loopback interface for a broker that isn't Apache
// Kafka: it is nobody else's, also while nothing listens on it, until it is
// released.
func ClaimPort() (port int, release func()) {
	claim, ports := claimPorts(1)
	return ports[0], func() { _ = claim.Close() }
}

func free(port int) bool {
	l, err := listen(port)
	if err == nil {
		_ = l.Close()
	}
	return err == nil
}

func listen(port int) (net.Listener, error) {
	return net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port))) //nolint:noctx // nothing waits here
}
