package franz

import (
	"fmt"
	"maps"
	"reflect"
	"testing"

	"mooring.dev/mooring/internal/topic"
)

func entries(values ...string) map[string]topic.Entry {
	config := make(map[string]topic.Entry)
	for i, value := range values {
		config[fmt.Sprint("key", i)] = topic.Entry{Value: new(value), Fallback: new("1"), Source: topic.SourceDynamicTopic, Type: topic.TypeInt}
	}
	return config
}

func TestEqualConfigsAreKeptOnce(t *testing.T) {
	var shared sharedConfigs
	first := shared.one(entries("2", "3"))
	for name, row := range map[string]struct {
		reason string
		config map[string]topic.Entry
		same   bool
	}{
		"equal":            {"it is what most topics have", entries("2", "3"), true},
		"another value":    {"it is another configuration", entries("2", "4"), false},
		"fewer keys":       {"a look may ask for fewer", entries("2"), false},
		"another fallback": {"what a reset leads to decides whether it is dangerous", changed(entries("2", "3"), func(e *topic.Entry) { e.Fallback = new("9") }), false},
		"no fallback":      {"an older broker does not tell", changed(entries("2", "3"), func(e *topic.Entry) { e.Fallback = nil }), false},
		"another source":   {"only what the topic itself has can be reset", changed(entries("2", "3"), func(e *topic.Entry) { e.Source = topic.SourceDefault }), false},
		"read only":        {"it cannot be set", changed(entries("2", "3"), func(e *topic.Entry) { e.ReadOnly = true }), false},
		"none":             {"a topic that was not described is not one without keys", nil, false},
	} {
		t.Run(name, func(t *testing.T) {
			before := maps.Clone(row.config)
			got := shared.one(row.config)
			if !reflect.DeepEqual(got, before) {
				t.Errorf("got %v for %v", got, before)
			}
			if same := reflect.ValueOf(got).Pointer() == reflect.ValueOf(first).Pointer(); same != row.same {
				t.Errorf("the same map: %t; %s", same, row.reason)
			}
		})
	}
}

func changed(config map[string]topic.Entry, change func(*topic.Entry)) map[string]topic.Entry {
	e := config["key1"]
	change(&e)
	config["key1"] = e
	return config
}

func TestAnEmptyConfigStaysApartFromNone(t *testing.T) {
	var shared sharedConfigs
	if got := shared.one(map[string]topic.Entry{}); got == nil {
		t.Error("an empty configuration became none: the view would take the topic for changed")
	}
}
