package proxy

import (
	"context"
	"fmt"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// Probe asks the cluster for its brokers. It is how the shim learns that the cluster answers, and it opens the brokers'
// local addresses before the first client needs them.
func (s *Server) Probe(ctx context.Context) error {
	up, err := s.connect(ctx, bootstrapNode)
	if err != nil {
		return err
	}
	defer up.Close()
	req := kmsg.NewPtrMetadataRequest()
	req.Version = 4
	req.Topics = []kmsg.MetadataRequestTopic{} // none
	resp, err := up.Ask(ctx, req)
	if err != nil {
		return fmt.Errorf("metadata: %w", err)
	}
	return s.rewriteMetadata(resp.(*kmsg.MetadataResponse))
}
