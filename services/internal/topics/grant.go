package topics

import (
	"context"
	"errors"
	"fmt"

	"github.com/segmentio/kafka-go"
)

// Grantee is a user of a cluster, and what is to be granted to them.
type Grantee struct {
	User string
	ACLs []ACL
}

// Grantees returns the users of a table of accesses.
func Grantees(all []Access) []Grantee {
	out := make([]Grantee, len(all))
	for i, a := range all {
		out[i] = Grantee{a.User, a.ACLs()}
	}
	return out
}

// The operations, and the things, that an [ACL] names.
var (
	operations = map[string]kafka.ACLOperationType{"Read": kafka.ACLOperationTypeRead, "Write": kafka.ACLOperationTypeWrite, "Create": kafka.ACLOperationTypeCreate,
		"Describe": kafka.ACLOperationTypeDescribe, "DescribeConfigs": kafka.ACLOperationTypeDescribeConfigs}
	resources = map[string]kafka.ResourceType{"topic": kafka.ResourceTypeTopic, "group": kafka.ResourceTypeGroup}
)

// Grant gives users their rights, as an administrator of the cluster, which is whom the
// client signs in as. It takes none away, and can be done again.
func Grant(ctx context.Context, client *kafka.Client, all []Grantee) error {
	req := &kafka.CreateACLsRequest{}
	for _, g := range all {
		for _, r := range g.ACLs {
			entry := kafka.ACLEntry{Principal: "User:" + g.User, PermissionType: kafka.ACLPermissionTypeAllow, Host: "*",
				Operation: operations[r.Operation], ResourceType: resources[r.Resource], ResourceName: r.Name, ResourcePatternType: kafka.PatternTypeLiteral}
			if r.Prefixed {
				entry.ResourcePatternType = kafka.PatternTypePrefixed
			}
			if entry.Operation == kafka.ACLOperationTypeUnknown || entry.ResourceType == kafka.ResourceTypeUnknown {
				return fmt.Errorf("user %s: the right to %s a %s isn't known", g.User, r.Operation, r.Resource)
			}
			req.ACLs = append(req.ACLs, entry)
		}
	}
	if len(req.ACLs) == 0 {
		return nil
	}
	res, err := client.CreateACLs(ctx, req)
	if err == nil {
		err = errors.Join(res.Errors...)
	}
	if err != nil {
		return fmt.Errorf("grant rights in Kafka: %w", err)
	}
	return nil
}
