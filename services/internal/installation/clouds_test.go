//go:build clouds

package installation

import (
	"testing"

	"gocloud.dev/blob"
	"gocloud.dev/runtimevar"
	"gocloud.dev/secrets"
)

func TestCloudsAreThere(t *testing.T) {
	t.Parallel()
	for _, scheme := range []string{"s3", "gs", "azblob"} {
		if !blob.DefaultURLMux().ValidBucketScheme(scheme) {
			t.Errorf("no driver for %s://", scheme)
		}
	}
	for _, scheme := range []string{"awssecretsmanager", "gcpsecretmanager"} {
		if !runtimevar.DefaultURLMux().ValidVariableScheme(scheme) {
			t.Errorf("no driver for %s://", scheme)
		}
	}
	for _, scheme := range []string{"awskms", "gcpkms", "azurekeyvault", "hashivault"} {
		if !secrets.DefaultURLMux().ValidKeeperScheme(scheme) {
			t.Errorf("no driver for %s://", scheme)
		}
	}
}
