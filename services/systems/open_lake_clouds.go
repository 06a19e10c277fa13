//go:build lake && clouds

package systems

// The buckets in which a lake's files can lie: s3://, gs://, abfs://.
import (
	_ "github.com/apache/iceberg-go/io/gocloud/azure"
	_ "github.com/apache/iceberg-go/io/gocloud/gcs"
	_ "github.com/apache/iceberg-go/io/gocloud/s3"
)
