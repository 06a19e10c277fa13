package vault

// RandomMaster returns a random master key, for the conformance suite, which is
// outside of the package.
func RandomMaster() Master { return randomMaster() }
