//go:build kafka

package kafka

import (
	"fmt"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// In KRaft a broker that is asked for the controller names any live broker, another one with each answer.
var _ = Describe("A cluster that does not change", func() {
	It("is looked at again and again, and its status is left alone", func(ctx SpecContext) {
		s := NewScene()
		k := s.Cluster(ctx)
		ExpectClusterReady(ctx, k)
		ExpectSettled(ctx, 3*time.Second, func(g Gomega) string { // until earlier specs' topics are gone and counted
			g.Expect(kube.Get(ctx, client.ObjectKeyFromObject(k), k)).To(Succeed())
			return fmt.Sprint(*k.Status.Topics)
		})
		ExpectQuiet(ctx, k, 10*time.Second)
	}, NodeTimeout(3*time.Minute))
})
