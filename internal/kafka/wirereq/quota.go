package wirereq

import (
	"github.com/twmb/franz-go/pkg/kmsg"

	"mooring.dev/mooring/internal/kafka"
	"mooring.dev/mooring/internal/principal"
)

// The types of a quota entity's parts (KIP-546).
const (
	entityUser     = "user"
	entityClientID = "client-id"
)

// DescribeQuota asks for the quota of exactly this entity: one of a user is not one of a client ID of the user.
func DescribeQuota(e principal.Entity) *kmsg.DescribeClientQuotasRequest {
	req := kmsg.NewPtrDescribeClientQuotasRequest()
	req.Strict = true
	for _, part := range partsOf(e) {
		c := kmsg.NewDescribeClientQuotasRequestComponent()
		c.EntityType, c.MatchType, c.Match = part.Type, kmsg.QuotasMatchTypeExact, part.Name
		req.Components = append(req.Components, c)
	}
	return req
}

func partsOf(e principal.Entity) []kmsg.AlterClientQuotasRequestEntryEntity {
	var parts []kmsg.AlterClientQuotasRequestEntryEntity
	add := func(kind, name string) {
		if name == "" {
			return
		}
		part := kmsg.NewAlterClientQuotasRequestEntryEntity()
		part.Type, part.Name = kind, &name
		parts = append(parts, part)
	}
	add(entityUser, e.User)
	add(entityClientID, e.ClientID)
	return parts
}

// QuotaLimits reads the response to DescribeQuota; empty for an entity without a quota.
func QuotaLimits(resp *kmsg.DescribeClientQuotasResponse) (principal.Limits, error) {
	if err := kafka.FromCode(resp.ErrorCode, resp.ErrorMessage); err != nil {
		return nil, throttled(err, resp.ThrottleMillis)
	}
	limits := make(principal.Limits)
	for _, entry := range resp.Entries {
		for _, v := range entry.Values {
			limits[v.Key] = v.Value
		}
	}
	return limits, nil
}

// AlterQuota sets and removes keys of one entity.
func AlterQuota(s principal.SetQuota) *kmsg.AlterClientQuotasRequest {
	entry := kmsg.NewAlterClientQuotasRequestEntry()
	entry.Entity = partsOf(s.Entity)
	for _, change := range s.Changes {
		op := kmsg.NewAlterClientQuotasRequestEntryOp()
		op.Key, op.Remove = change.Key, change.To == nil
		if change.To != nil {
			op.Value = *change.To
		}
		entry.Ops = append(entry.Ops, op)
	}
	req := kmsg.NewPtrAlterClientQuotasRequest()
	req.Entries = append(req.Entries, entry)
	return req
}

// AlterQuotaError is the first error of the response.
func AlterQuotaError(resp *kmsg.AlterClientQuotasResponse) error {
	for _, entry := range resp.Entries {
		if err := kafka.FromCode(entry.ErrorCode, entry.ErrorMessage); err != nil {
			return throttled(err, resp.ThrottleMillis)
		}
	}
	return nil
}
