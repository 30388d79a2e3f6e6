package franz

import (
	"context"

	"mooring.dev/mooring/internal/kafka"
	"mooring.dev/mooring/internal/kafka/wirereq"
	"mooring.dev/mooring/internal/principal"
)

// ObservePrincipals implements kafka.Admin.
func (a *Admin) ObservePrincipals(ctx context.Context, entities []principal.Entity, principals []string) (principal.Observed, error) {
	ctx, cancel := context.WithTimeout(ctx, batchTimeout)
	defer cancel()
	seen := principal.Observed{Quotas: make(map[principal.Entity]principal.Limits, len(entities))}
	for _, e := range entities {
		resp, err := wirereq.DescribeQuota(e).RequestWith(ctx, a.client)
		if err != nil {
			return seen, kafka.FromClient(err)
		}
		if seen.Quotas[e], err = wirereq.QuotaLimits(resp); err != nil {
			return seen, err
		}
	}
	for _, name := range principals {
		resp, err := wirereq.DescribeACLs(name).RequestWith(ctx, a.client)
		if err != nil {
			return seen, kafka.FromClient(err)
		}
		acls, err := wirereq.ACLs(resp)
		if err != nil {
			return seen, err
		}
		seen.ACLs = append(seen.ACLs, acls...)
	}
	return seen, nil
}

// maxACLs bounds the ACLs of one request. Kafka's controllers take a batch of at most 10,000 records.
const maxACLs = 1000

// ApplyPrincipal implements kafka.Admin.
func (a *Admin) ApplyPrincipal(ctx context.Context, s principal.Step) error {
	ctx, cancel := context.WithTimeout(ctx, batchTimeout)
	defer cancel()
	switch s := s.(type) {
	case principal.SetQuota:
		resp, err := wirereq.AlterQuota(s).RequestWith(ctx, a.client)
		if err != nil {
			return kafka.FromClient(err)
		}
		return wirereq.AlterQuotaError(resp)
	case principal.Grant:
		return inChunks(s.ACLs, func(acls []principal.ACL) error {
			resp, err := wirereq.CreateACLs(acls).RequestWith(ctx, a.client)
			if err != nil {
				return kafka.FromClient(err)
			}
			return wirereq.CreateACLsError(resp)
		})
	case principal.Revoke:
		return inChunks(s.ACLs, func(acls []principal.ACL) error {
			resp, err := wirereq.DeleteACLs(acls).RequestWith(ctx, a.client)
			if err != nil {
				return kafka.FromClient(err)
			}
			return wirereq.DeleteACLsError(resp)
		})
	}
	return kafka.NewError(kafka.ClassUnsupported, "no request carries out %T", s)
}

func inChunks(acls []principal.ACL, send func([]principal.ACL) error) error {
	for len(acls) > 0 {
		n := min(len(acls), maxACLs)
		if err := send(acls[:n]); err != nil {
			return err
		}
		acls = acls[n:]
	}
	return nil
}
