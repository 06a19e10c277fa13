//go:build clouds

package installation

// The clouds' drivers, by URL: s3://, gs://, azblob:// for the vault's and the
// outbox's bucket; awssecretsmanager://, gcpsecretmanager:// for vendors' secrets;
// awskms://, gcpkms://, azurekeyvault://, hashivault:// for the
// master key. They are behind a tag because they make the program twice
// as large (docs/adr/0013).
import (
	_ "gocloud.dev/blob/azureblob"
	_ "gocloud.dev/blob/gcsblob"
	_ "gocloud.dev/blob/s3blob"
	_ "gocloud.dev/runtimevar/awssecretsmanager"
	_ "gocloud.dev/runtimevar/gcpsecretmanager"
	_ "gocloud.dev/secrets/awskms"
	_ "gocloud.dev/secrets/azurekeyvault"
	_ "gocloud.dev/secrets/gcpkms"
	_ "gocloud.dev/secrets/hashivault"
)
