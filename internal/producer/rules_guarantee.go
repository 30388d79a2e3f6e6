package producer

import (
	"math"
	"slices"
	"strconv"

	"mooring.dev/mooring/api/v1alpha1"
)

// strength orders the guarantees, weakest first.
var strength = []v1alpha1.Guarantee{v1alpha1.AtMostOnce, v1alpha1.AtLeastOnce, v1alpha1.Idempotent, v1alpha1.Transactional}

func (c *Config) isIdempotent() bool {
	return c.Guarantee == v1alpha1.Idempotent || c.Guarantee == v1alpha1.Transactional
}

func above(n *int32, limit int32) bool { return n != nil && *n > limit }

func (c *Config) delivery() v1alpha1.ProducerDelivery {
	if c.Spec.Delivery == nil {
		return v1alpha1.ProducerDelivery{}
	}
	return *c.Spec.Delivery
}

var guaranteeRules = []Rule{
	{
		ID: "acks-below-guarantee", Severity: Error, Fields: []string{"spec.delivery.acks"},
		CEL:      `self.guarantee == 'AtMostOnce' || self.?delivery.?acks.orValue('all') in ['all', '-1']`,
		Sentence: "guarantees other than AtMostOnce need acks all: with 1 or 0 a record that was acknowledged can be lost with one broker; remove spec.delivery.acks, or set spec.guarantee to AtMostOnce",
		Source:   "KIP-679; ProducerConfig of kafka-clients 4.3",
		check: when(func(c *Config) bool {
			acks := c.delivery().Acks
			return c.Guarantee != v1alpha1.AtMostOnce && acks != "" && acks != "all" && acks != "-1"
		}),
	},
	{
		ID: "acks-above-at-most-once", Severity: Warning, Fields: []string{"spec.delivery.acks"},
		Sentence: "acks all waits for every in-sync replica, which AtMostOnce promises to nobody; set spec.guarantee to AtLeastOnce, or remove spec.delivery.acks",
		Source:   "Mooring: the guarantee is what the profile is known by",
		check: when(func(c *Config) bool {
			acks := c.delivery().Acks
			return c.Guarantee == v1alpha1.AtMostOnce && (acks == "all" || acks == "-1")
		}),
	},
	{
		ID: "retries-at-most-once", Severity: Advice, Fields: []string{"spec.delivery.retries"},
		Sentence: "with AtMostOnce a retry can write a record twice; remove spec.delivery.retries unless duplicates do not matter",
		Source:   "Kafka documentation, message delivery semantics",
		check: when(func(c *Config) bool {
			return c.Guarantee == v1alpha1.AtMostOnce && above(c.delivery().Retries, 0)
		}),
	},
	{
		ID: "in-flight-above-five", Severity: Error, Fields: []string{"spec.delivery.maxInFlightRequests"},
		CEL:      `!(self.guarantee in ['Idempotent', 'Transactional']) || self.?delivery.?maxInFlightRequests.orValue(5) <= 5`,
		Sentence: "idempotence allows at most 5 requests in flight, because brokers remember five batches of a producer; set spec.delivery.maxInFlightRequests to 5 or less, or remove it",
		Source:   "KAFKA-5494; ProducerConfig of kafka-clients 4.3",
		check:    when(func(c *Config) bool { return c.isIdempotent() && above(c.delivery().MaxInFlightRequests, 5) }),
	},
	{
		ID: "in-flight-breaks-order", Severity: Error, Fields: []string{"spec.delivery.maxInFlightRequests", "spec.ordering"},
		CEL:      `self.guarantee != 'AtLeastOnce' || self.?delivery.?maxInFlightRequests.orValue(1) <= (self.?ordering.orValue('Relaxed') == 'Strict' ? 1 : 5)`,
		Sentence: "AtLeastOnce allows 5 requests in flight, and with ordering Strict 1: without idempotence a retry overtakes what was sent after it; lower spec.delivery.maxInFlightRequests, or use the guarantee Idempotent, which keeps order with 5",
		Source:   "Kafka documentation, max.in.flight.requests.per.connection",
		check: when(func(c *Config) bool {
			limit := int32(5)
			if c.Spec.Ordering == v1alpha1.OrderingStrict {
				limit = 1
			}
			return c.Guarantee == v1alpha1.AtLeastOnce && above(c.delivery().MaxInFlightRequests, limit)
		}),
	},
	{
		ID: "retries-zero", Severity: Error, Fields: []string{"spec.delivery.retries"},
		CEL:      `self.guarantee == 'AtMostOnce' || self.?delivery.?retries.orValue(1) > 0`,
		Sentence: "with 0 retries every leader change loses records; remove spec.delivery.retries (spec.delivery.deliveryTimeout bounds how long is tried), or set spec.guarantee to AtMostOnce",
		Source:   "ProducerConfig of kafka-clients 4.3; KIP-91",
		check: when(func(c *Config) bool {
			r := c.delivery().Retries
			return c.Guarantee != v1alpha1.AtMostOnce && r != nil && *r <= 0
		}),
	},
	{
		ID: "retries-bounded", Severity: Warning, Fields: []string{"spec.delivery.retries"},
		Sentence: "a bound on retries gives up before spec.delivery.deliveryTimeout does; remove spec.delivery.retries and set the time",
		Source:   "KIP-91",
		check: func(c *Config) []hit {
			r := c.delivery().Retries
			if c.Guarantee == v1alpha1.AtMostOnce || r == nil || *r <= 0 || *r == math.MaxInt32 {
				return nil
			}
			return say("", "after %d retries, which can be over in seconds, a record is given up although spec.delivery.deliveryTimeout has time left; remove spec.delivery.retries", *r)
		},
	},
	{
		ID: "ordering-without-effect", Severity: Warning, Fields: []string{"spec.ordering"},
		Sentence: "spec.ordering matters for AtLeastOnce only: Idempotent and Transactional always keep order, AtMostOnce has nothing to overtake; remove it",
		Source:   "Mooring",
		check:    when(func(c *Config) bool { return c.Spec.Ordering != "" && c.Guarantee != v1alpha1.AtLeastOnce }),
	},
	{
		ID: "guarantee-below-minimum", Severity: Error, Fields: []string{"spec.guarantee"},
		Sentence: "the KafkaCluster asks for a stronger guarantee (spec.producerPolicy.minimumGuarantee); raise spec.guarantee",
		Source:   "KafkaCluster spec.producerPolicy",
		check: func(c *Config) []hit {
			if c.MinimumGuarantee == "" || slices.Index(strength, c.Guarantee) >= slices.Index(strength, c.MinimumGuarantee) {
				return nil
			}
			return say("", "%s is weaker than %s, the least that KafkaCluster %s allows (spec.producerPolicy.minimumGuarantee); set spec.guarantee to %s",
				c.Guarantee, c.MinimumGuarantee, c.Cluster, c.MinimumGuarantee)
		},
	},
	{
		ID: "guarantee-unknown", Severity: Error, Fields: []string{"spec.guarantee"},
		Sentence: "the guarantee is AtMostOnce, AtLeastOnce, Idempotent or Transactional",
		Source:   "the API's own list",
		check: func(c *Config) []hit {
			if slices.Contains(strength, c.Guarantee) {
				return nil
			}
			return say("", "%s is no guarantee; it must be AtMostOnce, AtLeastOnce, Idempotent or Transactional", strconv.Quote(string(c.Guarantee)))
		},
	},
}
