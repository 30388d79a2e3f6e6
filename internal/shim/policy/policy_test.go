package policy

import (
	"encoding/binary"
	"testing"

	"github.com/twmb/franz-go/pkg/kerr"

	"mooring.dev/mooring/internal/contract"
)

func of(mode contract.Mode, change func(*contract.Contract)) *Policy {
	c := contract.Contract{
		Guarantee:   contract.Idempotent,
		Enforcement: contract.Enforcement{Mode: mode, Acks: -1, Idempotence: true, Unsupported: contract.UnsupportedCount},
		Limits:      contract.Limits{MaxInFlight: 5},
	}
	if change != nil {
		change(&c)
	}
	return New(c)
}

func batch(change func([]byte)) []byte {
	b := make([]byte, 100)
	binary.BigEndian.PutUint32(b[8:], 88)
	b[16] = 2
	for i := 43; i < 57; i++ {
		b[i] = 0xff
	}
	if change != nil {
		change(b)
	}
	return b
}

func TestAcks(t *testing.T) {
	for _, tt := range []struct {
		mode   contract.Mode
		wanted int16
		acks   int16
		action Action
		reason Reason
		why    string
	}{
		{contract.Upgrade, -1, 0, Upgrade, WeakAcks, "0 is weaker than all"},
		{contract.Upgrade, -1, 1, Upgrade, WeakAcks, "1 is weaker than all"},
		{contract.Upgrade, -1, -1, Pass, Fine, "all is all"},
		{contract.Upgrade, 0, 0, Pass, Fine, "the policy wants nothing"},
		{contract.Upgrade, 1, 0, Upgrade, WeakAcks, "0 is weaker than 1"},
		{contract.Upgrade, 1, 1, Pass, Fine, "1 is 1"},
		{contract.Upgrade, -1, 7, Pass, Fine, "the broker refuses that itself"},
		{contract.Audit, -1, 0, Pass, WeakAcks, "an audit counts, and changes nothing"},
		{contract.Reject, -1, 1, Reject, WeakAcks, "it is refused"},
	} {
		p := of(tt.mode, func(c *contract.Contract) { c.Enforcement.Acks = tt.wanted })
		if v := p.Acks(tt.acks); v.Action != tt.action || v.Reason != tt.reason {
			t.Errorf("%s, policy acks=%d, request acks=%d: %+v, want action %d: %s", tt.mode, tt.wanted, tt.acks, v, tt.action, tt.why)
		}
	}
}

func TestBatches(t *testing.T) {
	for _, tt := range []struct {
		name   string
		mode   contract.Mode
		change func(*contract.Contract)
		batch  []byte
		action Action
		reason Reason
		code   int16
	}{
		{"a plain batch is upgraded", contract.Upgrade, nil, batch(nil), Upgrade, NotIdempotent, kerr.PolicyViolation.Code},
		{"a plain batch is refused", contract.Reject, nil, batch(nil), Reject, NotIdempotent, kerr.PolicyViolation.Code},
		{"a plain batch is counted", contract.Audit, nil, batch(nil), Pass, NotIdempotent, kerr.PolicyViolation.Code},
		{"an idempotent batch passes untouched", contract.Upgrade, nil, batch(func(b []byte) { clear(b[43:57]) }), Pass, Fine, 0},
		{"a batch of a transaction passes untouched", contract.Upgrade, nil, batch(func(b []byte) { b[22] |= 0x10 }), Pass, Fine, 0},
		{"without idempotence in the policy a plain batch is fine", contract.Upgrade, func(c *contract.Contract) { c.Enforcement.Idempotence = false }, batch(nil), Pass, Fine, 0},
		{"an old format is counted", contract.Upgrade, nil, batch(func(b []byte) { b[16] = 1 }), Pass, OldFormat, kerr.UnsupportedForMessageFormat.Code},
		{"an old format is refused", contract.Upgrade, func(c *contract.Contract) { c.Enforcement.Unsupported = contract.UnsupportedReject }, batch(func(b []byte) { b[16] = 1 }), Reject, OldFormat, kerr.UnsupportedForMessageFormat.Code},
		{"two batches in one are what an old format is", contract.Upgrade, nil, append(batch(nil), batch(nil)...), Pass, OldFormat, kerr.UnsupportedForMessageFormat.Code},
		{"no records at all are fine", contract.Upgrade, nil, nil, Pass, Fine, 0},
		{"a codec that is not listed is refused", contract.Upgrade, func(c *contract.Contract) { c.Limits.Compression = []string{"zstd"} }, batch(func(b []byte) { b[22] |= 1 }), Reject, Compression, kerr.PolicyViolation.Code},
		{"a codec that is listed is fine", contract.Upgrade, func(c *contract.Contract) { c.Limits.Compression = []string{"zstd"} }, batch(func(b []byte) { b[22] |= 4; clear(b[43:57]) }), Pass, Fine, 0},
		{"a codec that is not listed is counted in an audit", contract.Audit, func(c *contract.Contract) { c.Limits.Compression = []string{"zstd"} }, batch(nil), Pass, Compression, kerr.PolicyViolation.Code},
	} {
		t.Run(tt.name, func(t *testing.T) {
			v := of(tt.mode, tt.change).Batch(tt.batch)
			if v.Action != tt.action || v.Reason != tt.reason || v.Code != tt.code {
				t.Errorf("%+v", v)
			}
		})
	}
}

func TestTopicsAndSizes(t *testing.T) {
	p := of(contract.Upgrade, func(c *contract.Contract) {
		c.Topics = &contract.Topics{Names: []string{"orders"}, Prefixes: []string{"log."}}
		c.Limits.MaxRequestSize = 1000
	})
	for name, action := range map[string]Action{"orders": Pass, "orders2": Reject, "log.": Pass, "log.a": Pass, "log": Reject, "": Reject} {
		if v := p.Topic([]byte(name)); v.Action != action {
			t.Errorf("topic %q: %+v", name, v)
		}
		if p.Contract.Topics.Allow(name) != (action == Pass) {
			t.Errorf("topic %q: the contract says otherwise", name)
		}
	}
	if v := p.Size(1000); v.Reason != Fine {
		t.Errorf("%+v", v)
	}
	if v := p.Size(1001); v.Action != Reject || v.Code != kerr.MessageTooLarge.Code {
		t.Errorf("%+v", v)
	}
}
