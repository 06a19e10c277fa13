package topics

import (
	"fmt"
	"io"
	"strings"

	"go.yaml.in/yaml/v3"

	"habeas.dev/pkg/bus"
)

// WriteScript writes a script of kafka-acls that grants each user what it may, and
// nothing else.
func WriteScript(w io.Writer, all []Access) error {
	var b strings.Builder
	b.WriteString(`#!/bin/sh
# Written by: habeas topics access --format kafka-acls. What each of Habeas' users may do
# on the cluster; it can be run again. An administrator runs it:
#   KAFKA_ACLS='kafka-acls.sh --bootstrap-server kafka:9093 --command-config admin.properties' sh acls.sh
set -eu
grant() {
    user=$1
    shift
    ${KAFKA_ACLS:-kafka-acls.sh --bootstrap-server localhost:9092} --add --allow-principal "User:$user" "$@"
}
`)
	for _, a := range all {
		b.WriteByte('\n')
		for _, acl := range a.ACLs() {
			fmt.Fprintf(&b, "grant %s --operation %s --%s %s", a.User, acl.Operation, acl.Resource, acl.Name)
			if acl.Prefixed {
				b.WriteString(" --resource-pattern-type prefixed")
			}
			b.WriteByte('\n')
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// The parts of Strimzi's resources that are written here.
type (
	strimzi struct {
		APIVersion string   `yaml:"apiVersion"`
		Kind       string   `yaml:"kind"`
		Metadata   metadata `yaml:"metadata"`
		Spec       any      `yaml:"spec"`
	}
	metadata struct {
		Name   string            `yaml:"name"`
		Labels map[string]string `yaml:"labels"`
	}
	userSpec struct {
		Authentication struct {
			Type string `yaml:"type"`
		} `yaml:"authentication"`
		Authorization struct {
			Type string       `yaml:"type"`
			ACLs []strimziACL `yaml:"acls"`
		} `yaml:"authorization"`
	}
	strimziACL struct {
		Resource   strimziResource `yaml:"resource"`
		Operations []string        `yaml:"operations,flow"`
	}
	strimziResource struct {
		Type        string `yaml:"type"`
		Name        string `yaml:"name"`
		PatternType string `yaml:"patternType"`
	}
	topicSpec struct {
		Partitions int               `yaml:"partitions"`
		Replicas   int               `yaml:"replicas"`
		Config     map[string]string `yaml:"config,omitempty"`
	}
)

// WriteStrimzi writes the topics and users as resources of Strimzi's operators, for a
// cluster of that name.
func WriteStrimzi(w io.Writer, cluster string, specs []bus.TopicSpec, all []Access) error {
	if _, err := io.WriteString(w, "# Written by: habeas topics access --format strimzi.\n"); err != nil {
		return err
	}
	e := yaml.NewEncoder(w)
	e.SetIndent(2)
	resource := func(kind, name string, spec any) error {
		return e.Encode(strimzi{"kafka.strimzi.io/v1beta2", kind, metadata{name, map[string]string{"strimzi.io/cluster": cluster}}, spec})
	}
	for _, s := range specs {
		if err := resource("KafkaTopic", s.Name, topicSpec{s.Partitions, s.Replicas, s.Config}); err != nil {
			return err
		}
	}
	for _, a := range all {
		var spec userSpec
		spec.Authentication.Type, spec.Authorization.Type = "scram-sha-512", "simple"
		for _, acl := range a.ACLs() {
			pattern := "literal"
			if acl.Prefixed {
				pattern = "prefix"
			}
			on := strimziResource{acl.Resource, acl.Name, pattern}
			if last := len(spec.Authorization.ACLs) - 1; last >= 0 && spec.Authorization.ACLs[last].Resource == on {
				spec.Authorization.ACLs[last].Operations = append(spec.Authorization.ACLs[last].Operations, acl.Operation)
				continue
			}
			spec.Authorization.ACLs = append(spec.Authorization.ACLs, strimziACL{on, []string{acl.Operation}})
		}
		if err := resource("KafkaUser", a.User, spec); err != nil {
			return err
		}
	}
	return e.Close()
}
