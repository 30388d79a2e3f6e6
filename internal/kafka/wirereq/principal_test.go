package wirereq

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"mooring.dev/mooring/internal/kafka"
	"mooring.dev/mooring/internal/principal"
)

func allACLs() []principal.ACL {
	var acls []principal.ACL
	for resource := range aclResources {
		for pattern := range aclPatterns {
			for operation := range aclOperations {
				for _, deny := range []bool{false, true} {
					acls = append(acls, principal.ACL{
						Principal: "User:a", Host: "*", Resource: resource, Pattern: pattern, Name: "n", Operation: operation, Deny: deny,
					})
				}
			}
		}
	}
	return acls
}

// An ACL that is created, described and deleted is the same one in all three requests.
func TestACLsKeepTheirMeaning(t *testing.T) {
	for _, a := range allACLs() {
		created := CreateACLs([]principal.ACL{a}).Creations[0]
		resp := kmsg.NewPtrDescribeACLsResponse()
		resp.Resources = []kmsg.DescribeACLsResponseResource{{
			ResourceType: created.ResourceType, ResourceName: created.ResourceName, ResourcePatternType: created.ResourcePatternType,
			ACLs: []kmsg.DescribeACLsResponseResourceACL{{
				Principal: created.Principal, Host: created.Host, Operation: created.Operation, PermissionType: created.PermissionType,
			}},
		}}
		read, err := ACLs(resp)
		if diff := cmp.Diff([]principal.ACL{a}, read); err != nil || diff != "" {
			t.Errorf("%s: %v (-created +described):\n%s", a, err, diff)
		}
		f := DeleteACLs([]principal.ACL{a}).Filters[0]
		if f.ResourceType != created.ResourceType || *f.ResourceName != a.Name || f.ResourcePatternType != created.ResourcePatternType ||
			*f.Principal != a.Principal || *f.Host != a.Host || f.Operation != created.Operation || f.PermissionType != created.PermissionType {
			t.Errorf("%s: the filter matches something else: %+v", a, f)
		}
	}
}

// What no producer needs is none of ours, and is left out rather than taken for something else.
func TestForeignACLsAreLeftOut(t *testing.T) {
	resp := kmsg.NewPtrDescribeACLsResponse()
	entry := []kmsg.DescribeACLsResponseResourceACL{{Principal: "User:a", Host: "*", Operation: kmsg.ACLOperationRead, PermissionType: kmsg.ACLPermissionTypeAllow}}
	resp.Resources = []kmsg.DescribeACLsResponseResource{
		{ResourceType: kmsg.ACLResourceTypeTopic, ResourcePatternType: kmsg.ACLResourcePatternTypeLiteral, ResourceName: "t", ACLs: entry},
		{ResourceType: kmsg.ACLResourceTypeGroup, ResourcePatternType: kmsg.ACLResourcePatternTypeLiteral, ResourceName: "g", ACLs: entry},
	}
	if read, err := ACLs(resp); err != nil || len(read) != 0 {
		t.Errorf("%v, %v", read, err)
	}
}

func TestPrincipalErrors(t *testing.T) {
	denied, message := kerr.ClusterAuthorizationFailed.Code, new("no")
	tests := map[string]error{
		"describe": func() error {
			_, err := ACLs(&kmsg.DescribeACLsResponse{ErrorCode: denied, ErrorMessage: message})
			return err
		}(),
		"create": CreateACLsError(&kmsg.CreateACLsResponse{Results: []kmsg.CreateACLsResponseResult{{}, {ErrorCode: denied}}}),
		"delete": DeleteACLsError(&kmsg.DeleteACLsResponse{Results: []kmsg.DeleteACLsResponseResult{{ErrorCode: denied}}}),
		"delete, of one that matched": DeleteACLsError(&kmsg.DeleteACLsResponse{Results: []kmsg.DeleteACLsResponseResult{{
			MatchingACLs: []kmsg.DeleteACLsResponseResultMatchingACL{{ErrorCode: denied}},
		}}}),
		"describe a quota": func() error {
			_, err := QuotaLimits(&kmsg.DescribeClientQuotasResponse{ErrorCode: denied})
			return err
		}(),
		"alter a quota": AlterQuotaError(&kmsg.AlterClientQuotasResponse{Entries: []kmsg.AlterClientQuotasResponseEntry{{ErrorCode: denied}}}),
	}
	for name, err := range tests {
		if kafka.ClassOf(err) != kafka.ClassUnauthorized {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := CreateACLsError(&kmsg.CreateACLsResponse{Results: []kmsg.CreateACLsResponseResult{{}}}); err != nil {
		t.Errorf("no error is %v", err)
	}
	_, err := ACLs(&kmsg.DescribeACLsResponse{ErrorCode: kerr.SecurityDisabled.Code})
	if kafka.ClassOf(err) != kafka.ClassNoAuthorizer {
		t.Errorf("without an authorizer: %v", err)
	}
}
