package wire

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kmsg"
)

func TestTheVersionsAreThoseOfKmsg(t *testing.T) {
	for key := range int16(kmsg.MaxKey + 1) {
		req := kmsg.RequestForKey(key)
		if req == nil {
			t.Errorf("kmsg does not know API key %d any more", key)
			continue
		}
		if req.MaxVersion() != Newest(key) {
			t.Errorf("API key %d: newest version %d, kmsg has %d", key, Newest(key), req.MaxVersion())
		}
		for v := range req.MaxVersion() + 1 {
			if req.SetVersion(v); req.IsFlexible() != FlexibleRequest(key, v) {
				t.Errorf("API key %d version %d: flexible is %v", key, v, req.IsFlexible())
			}
		}
	}
	if Newest(-1) != -1 || Newest(int16(kmsg.MaxKey+1)) != -1 || FlexibleRequest(-1, 0) {
		t.Error("keys that nobody knows have no versions")
	}
}

// produceResponse is an answer to produceRequest, without errors.
func produceResponse(version int16) *kmsg.ProduceResponse {
	resp := kmsg.NewPtrProduceResponse()
	resp.Version, resp.ThrottleMillis = version, 7
	for i, name := range []string{"orders", "a"} {
		rt := kmsg.NewProduceResponseTopic()
		if version >= 13 {
			rt.TopicID = [16]byte{byte(i + 1)}
		} else {
			rt.Topic = name
		}
		for p := range int32(2) {
			rp := kmsg.NewProduceResponseTopicPartition()
			rp.Partition, rp.BaseOffset = p, int64(100*i)+int64(p)
			rt.Partitions = append(rt.Partitions, rp)
		}
		resp.Topics = append(resp.Topics, rt)
	}
	return resp
}

func TestAnAnswerOfSuccessesIsReadWithoutADecoder(t *testing.T) {
	for version := range int16(14) {
		got, ok := Successes(nil, version, produceResponse(version).AppendTo(nil))
		if !ok {
			t.Errorf("version %d is not read", version)
			continue
		}
		want := []Success{{Partition: 0, Offset: 0}, {Partition: 1, Offset: 1}, {Partition: 0, Offset: 100}, {Partition: 1, Offset: 101}}
		for i := range want {
			if version >= 13 {
				want[i].TopicID = [16]byte{byte(1 + i/2)}
			} else {
				want[i].Topic = []byte([]string{"orders", "a"}[i/2])
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("version %d: %s", version, diff)
		}
	}
}

func TestAnAnswerWithMoreThanSuccessesIsLeftToADecoder(t *testing.T) {
	for name, change := range map[string]func(*kmsg.ProduceResponse){
		"an error":  func(r *kmsg.ProduceResponse) { r.Topics[1].Partitions[1].ErrorCode = 6 },
		"a message": func(r *kmsg.ProduceResponse) { r.Topics[0].Partitions[0].ErrorMessage = new("") },
		"errors of records": func(r *kmsg.ProduceResponse) {
			r.Topics[0].Partitions[0].ErrorRecords = make([]kmsg.ProduceResponseTopicPartitionErrorRecord, 1)
		},
		"a leader (KIP-951)":               func(r *kmsg.ProduceResponse) { r.Topics[0].Partitions[0].CurrentLeader.LeaderID = 3 },
		"the addresses of nodes (KIP-951)": func(r *kmsg.ProduceResponse) { r.Brokers = make([]kmsg.ProduceResponseBroker, 1) },
	} {
		resp := produceResponse(12)
		change(resp)
		if got, ok := Successes(nil, 12, resp.AppendTo(nil)); ok {
			t.Errorf("%s: it was read as %v", name, got)
		}
	}
}

func FuzzSuccesses(f *testing.F) {
	for version := range int16(14) {
		f.Add(version, produceResponse(version).AppendTo(nil))
		bad := produceResponse(version)
		bad.Topics[1].Partitions[0].ErrorCode = 19
		f.Add(version, bad.AppendTo(nil))
	}
	f.Fuzz(func(t *testing.T, version int16, body []byte) {
		got, ok := Successes(nil, version, body)
		if !ok {
			return
		}
		resp := kmsg.NewPtrProduceResponse()
		resp.Version = version
		if err := resp.ReadFrom(body); err != nil {
			t.Fatalf("version %d: kmsg says %v", version, err)
		}
		if len(resp.Brokers) > 0 {
			t.Fatal("it has addresses of brokers")
		}
		var want []Success
		for _, rt := range resp.Topics {
			for _, rp := range rt.Partitions {
				if rp.ErrorCode != 0 || len(rp.ErrorRecords) > 0 || rp.ErrorMessage != nil {
					t.Fatalf("it has the error %+v", rp)
				}
				s := Success{TopicID: rt.TopicID, Partition: rp.Partition, Offset: rp.BaseOffset}
				if version < 13 {
					s.Topic = []byte(rt.Topic)
				}
				want = append(want, s)
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatal(diff)
		}
	})
}

func TestTheClassesOfBuffersFitWhatTheyAreFor(t *testing.T) {
	for n := 1; n < 8<<20+beside+5000; n += 1 + n/100 {
		c := class(n)
		switch {
		case n > capacity(classes-1) && c != -1:
			t.Errorf("%d bytes have the class %d, and are too many for any", n, c)
		case n <= capacity(classes-1) && (c < 0 || capacity(c) < n):
			t.Errorf("%d bytes have the class %d, which has %d", n, c, capacity(max(c, 0)))
		case c > 0 && capacity(c-1) >= n:
			t.Errorf("%d bytes have the class %d, and the one below would do", n, c)
		}
	}
	for c := range classes {
		if class(capacity(c)) != c {
			t.Errorf("the buffers of class %d are put into class %d", c, class(capacity(c)))
		}
	}
}
