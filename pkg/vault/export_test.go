package vault

// RandomMaster is for the conformance suite, which is outside of the package.
func RandomMaster() Master { return randomMaster() }
