package proxy

import (
	"reflect"
	"slices"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// named says whether a type has a host and a port somewhere: an address.
func named(t reflect.Type, seen map[reflect.Type]bool) bool {
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Map:
		return named(t.Elem(), seen)
	case reflect.Struct:
	default:
		return false
	}
	if seen[t] {
		return false
	}
	seen[t] = true
	_, host := t.FieldByName("Host")
	_, port := t.FieldByName("Port")
	if host && port {
		return true
	}
	for i := range t.NumField() {
		if named(t.Field(i).Type, seen) {
			return true
		}
	}
	return false
}

// A newer kmsg may know more answers with addresses: this finds them.
func TestNoAnswerWithAddressesIsPassedOnAsBytes(t *testing.T) {
	var found []string
	for key := range int16(kmsg.MaxKey + 1) {
		resp := kmsg.ResponseForKey(key)
		if resp == nil || !named(reflect.TypeOf(resp), make(map[reflect.Type]bool)) {
			continue
		}
		name := kmsg.NameForKey(key)
		found = append(found, name)
		newest, ok := offered(key)
		switch {
		case name == "StreamsGroupHeartbeat" || name == "StreamsGroupDescribe": // addresses of the app's instances (application.server)
		case !ok, kmsg.Key(key) == kmsg.DescribeQuorum && newest == 1, kmsg.Key(key) == kmsg.Fetch && newest == 15:
		case !carries(key, newest):
			t.Errorf("%s version %d has addresses, and its answers are passed on as bytes", name, newest)
		}
	}
	for _, want := range []string{"Metadata", "FindCoordinator", "DescribeCluster", "Produce", "Fetch", "ShareFetch", "ShareAcknowledge", "DescribeQuorum"} {
		if !slices.Contains(found, want) {
			t.Errorf("the test finds no address in %s, so it finds too little", want)
		}
	}
	t.Logf("%v", found)
}

func TestVersionsAreCutDownToWhatTheShimCanRead(t *testing.T) {
	resp := kmsg.NewPtrApiVersionsResponse()
	for key := range int16(200) {
		k := kmsg.NewApiVersionsResponseApiKey()
		k.ApiKey, k.MaxVersion = key, 100
		resp.ApiKeys = append(resp.ApiKeys, k)
	}
	capVersions(resp)
	got := make(map[kmsg.Key]kmsg.ApiVersionsResponseApiKey)
	for _, k := range resp.ApiKeys {
		got[kmsg.Key(k.ApiKey)] = k
	}
	if got[kmsg.Produce].MaxVersion != 13 || got[kmsg.Fetch].MaxVersion != 15 || got[kmsg.DescribeQuorum].MaxVersion != 1 || got[kmsg.SASLHandshake].MinVersion != 1 {
		t.Errorf("%+v", got)
	}
	for _, key := range []kmsg.Key{kmsg.LeaderAndISR, kmsg.BrokerRegistration, kmsg.Vote, 150} {
		if _, ok := got[key]; ok {
			t.Errorf("API %d is offered", key)
		}
	}
	for _, k := range resp.ApiKeys {
		if k.MaxVersion > newestOf(k.ApiKey) {
			t.Errorf("%s up to %d is more than the shim can read", kmsg.NameForKey(k.ApiKey), k.MaxVersion)
		}
	}
}
