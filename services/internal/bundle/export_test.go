package bundle

// Statement returns what is signed of a bundle.
func Statement(requestID string, tagManifest []byte) string {
	return signedText(requestID, tagManifest)
}
