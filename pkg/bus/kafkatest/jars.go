package kafkatest

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/cenkalti/backoff/v4"
)

const (
	// defaultVersion of Apache Kafka; HABEAS_KAFKA_VERSION names another.
	defaultVersion  = "4.1.0"
	versionVariable = "HABEAS_KAFKA_VERSION"
	// What comes over a network is asked for a few times.
	downloadTries = 4
	downloadPause = 5 * time.Second
)

// pom asks for the broker and for a log: without the second it is silent, even
// when it dies.
const pom = `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>dev.habeas</groupId><artifactId>kafkatest</artifactId><version>1</version><packaging>pom</packaging>
  <dependencies>
    <dependency><groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>%s</version></dependency>
    <dependency><groupId>org.apache.logging.log4j</groupId><artifactId>log4j-slf4j-impl</artifactId><version>2.24.3</version></dependency>
  </dependencies>
</project>
`

// Jars returns the folder with Apache Kafka's jars. Where it isn't in the user's
// cache yet, Maven fills it.
func Jars(ctx context.Context) (string, error) {
	version := defaultVersion
	if v := os.Getenv(versionVariable); v != "" {
		version = v
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		cache = os.TempDir()
	}
	cache = filepath.Join(cache, "habeas")
	jars := filepath.Join(cache, "kafka-"+version)
	if _, err := os.Stat(jars); err == nil {
		return jars, nil
	}
	mvn, err := exec.LookPath("mvn")
	if err != nil {
		return "", &missingError{"mvn isn't on the PATH, which gets its jars", "Maven (Debian: maven)"}
	}
	if err := os.MkdirAll(cache, 0o755); err != nil {
		return "", fmt.Errorf("kafkatest: %w", err)
	}
	// Filled beside, and moved: a folder of that name is always whole.
	dir, err := os.MkdirTemp(cache, "kafka-new-")
	if err != nil {
		return "", fmt.Errorf("kafkatest: %w", err)
	}
	defer os.RemoveAll(dir)
	if err := os.WriteFile(filepath.Join(dir, "pom.xml"), fmt.Appendf(nil, pom, version), 0o600); err != nil {
		return "", fmt.Errorf("kafkatest: %w", err)
	}
	get := func() error {
		cmd := exec.CommandContext(ctx, mvn, "-q", "-B", "dependency:copy-dependencies", "-DoutputDirectory=jars")
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("kafkatest: no Apache Kafka %s: mvn: %w: %s", version, err, firstLine(out))
		}
		return nil
	}
	again := backoff.WithMaxRetries(backoff.NewConstantBackOff(downloadPause), downloadTries-1)
	if err := backoff.Retry(get, backoff.WithContext(again, ctx)); err != nil {
		return "", err
	}
	if err := os.Rename(filepath.Join(dir, "jars"), jars); err != nil {
		if _, err := os.Stat(jars); err == nil {
			return jars, nil // another process was faster
		}
		return "", fmt.Errorf("kafkatest: %w", err)
	}
	return jars, nil
}

func firstLine(out []byte) string {
	line, _, _ := strings.Cut(strings.TrimSpace(string(out)), "\n")
	return line
}

func lastLine(out []byte) string {
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	return lines[len(lines)-1]
}
