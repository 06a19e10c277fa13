package bundle

// Statement returns what is signed of a bundle.
func Statement(requestID string, tagManifest []byte) string {
	return signedText(requestID, tagManifest)
}

// PageScript is the page's script, and ScriptHash what its policy allows.
var (
	PageScript = pageScript
	ScriptHash = scriptHash
)
