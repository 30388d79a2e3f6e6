package wirereq

import (
	"slices"

	"github.com/twmb/franz-go/pkg/kmsg"

	"mooring.dev/mooring/internal/kafka"
	"mooring.dev/mooring/internal/principal"
)

// What ACLs are about, in the protocol's numbers. What is in none of these tables is nothing that a producer needs, and is
// left out of what is read.
var (
	aclResources = map[principal.Resource]kmsg.ACLResourceType{
		principal.ResourceTopic:           kmsg.ACLResourceTypeTopic,
		principal.ResourceCluster:         kmsg.ACLResourceTypeCluster,
		principal.ResourceTransactionalID: kmsg.ACLResourceTypeTransactionalId,
	}
	aclPatterns = map[principal.Pattern]kmsg.ACLResourcePatternType{
		principal.Literal:  kmsg.ACLResourcePatternTypeLiteral,
		principal.Prefixed: kmsg.ACLResourcePatternTypePrefixed,
	}
	aclOperations = map[principal.Operation]kmsg.ACLOperation{
		principal.Write:           kmsg.ACLOperationWrite,
		principal.Describe:        kmsg.ACLOperationDescribe,
		principal.IdempotentWrite: kmsg.ACLOperationIdempotentWrite,
		principal.All:             kmsg.ACLOperationAll,
	}
)

func keyOf[K comparable, V comparable](table map[K]V, value V) (K, bool) {
	for k, v := range table {
		if v == value {
			return k, true
		}
	}
	var none K
	return none, false
}

func permissionOf(a principal.ACL) kmsg.ACLPermissionType {
	if a.Deny {
		return kmsg.ACLPermissionTypeDeny
	}
	return kmsg.ACLPermissionTypeAllow
}

// DescribeACLs asks for every ACL of one principal, spelled exactly so.
func DescribeACLs(name string) *kmsg.DescribeACLsRequest {
	req := kmsg.NewPtrDescribeACLsRequest()
	req.ResourceType, req.ResourcePatternType = kmsg.ACLResourceTypeAny, kmsg.ACLResourcePatternTypeAny
	req.Operation, req.PermissionType = kmsg.ACLOperationAny, kmsg.ACLPermissionTypeAny
	req.Principal = &name
	return req
}

// ACLs reads the response to DescribeACLs.
func ACLs(resp *kmsg.DescribeACLsResponse) ([]principal.ACL, error) {
	if err := kafka.FromCode(resp.ErrorCode, resp.ErrorMessage); err != nil {
		return nil, throttled(err, resp.ThrottleMillis)
	}
	var acls []principal.ACL
	for _, r := range resp.Resources {
		resource, knownResource := keyOf(aclResources, r.ResourceType)
		pattern, knownPattern := keyOf(aclPatterns, r.ResourcePatternType)
		if !knownResource || !knownPattern {
			continue
		}
		for _, entry := range r.ACLs {
			operation, known := keyOf(aclOperations, entry.Operation)
			if !known {
				continue
			}
			acls = append(acls, principal.ACL{
				Principal: entry.Principal, Host: entry.Host, Resource: resource, Pattern: pattern, Name: r.ResourceName,
				Operation: operation, Deny: entry.PermissionType == kmsg.ACLPermissionTypeDeny,
			})
		}
	}
	return acls, nil
}

// CreateACLs creates all of these; one that is there already stays.
func CreateACLs(acls []principal.ACL) *kmsg.CreateACLsRequest {
	req := kmsg.NewPtrCreateACLsRequest()
	for _, a := range acls {
		c := kmsg.NewCreateACLsRequestCreation()
		c.ResourceType, c.ResourceName, c.ResourcePatternType = aclResources[a.Resource], a.Name, aclPatterns[a.Pattern]
		c.Principal, c.Host, c.Operation, c.PermissionType = a.Principal, a.Host, aclOperations[a.Operation], permissionOf(a)
		req.Creations = append(req.Creations, c)
	}
	return req
}

// CreateACLsError is the first error of the response.
func CreateACLsError(resp *kmsg.CreateACLsResponse) error {
	for _, r := range resp.Results {
		if err := kafka.FromCode(r.ErrorCode, r.ErrorMessage); err != nil {
			return throttled(err, resp.ThrottleMillis)
		}
	}
	return nil
}

// DeleteACLs deletes exactly these: each filter has every part, so that it matches nothing else. One that is not there is
// no error.
func DeleteACLs(acls []principal.ACL) *kmsg.DeleteACLsRequest {
	req := kmsg.NewPtrDeleteACLsRequest()
	for _, a := range slices.Clone(acls) {
		f := kmsg.NewDeleteACLsRequestFilter()
		f.ResourceType, f.ResourceName, f.ResourcePatternType = aclResources[a.Resource], &a.Name, aclPatterns[a.Pattern]
		f.Principal, f.Host, f.Operation, f.PermissionType = &a.Principal, &a.Host, aclOperations[a.Operation], permissionOf(a)
		req.Filters = append(req.Filters, f)
	}
	return req
}

// DeleteACLsError is the first error of the response, of a filter or of what it matched.
func DeleteACLsError(resp *kmsg.DeleteACLsResponse) error {
	for _, r := range resp.Results {
		if err := kafka.FromCode(r.ErrorCode, r.ErrorMessage); err != nil {
			return throttled(err, resp.ThrottleMillis)
		}
		for _, m := range r.MatchingACLs {
			if err := kafka.FromCode(m.ErrorCode, m.ErrorMessage); err != nil {
				return throttled(err, resp.ThrottleMillis)
			}
		}
	}
	return nil
}
