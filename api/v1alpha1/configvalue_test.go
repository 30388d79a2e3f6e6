package v1alpha1_test

import (
	"encoding/json"
	"math"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"sigs.k8s.io/yaml"

	"mooring.dev/mooring/api/v1alpha1"
)

func TestConfigValueFromJSON(t *testing.T) {
	tests := map[string]struct {
		reason string
		json   string
		want   string
		err    string
	}{
		"a string":                         {reason: "as it is", json: `"compact"`, want: "compact"},
		"the empty string":                 {reason: "a value (cleanup.policy may be empty)", json: `""`, want: ""},
		"a string of digits":               {reason: "as it is, zeros and all", json: `"007"`, want: "007"},
		"a string with an exponent":        {reason: "CEL refuses it; what is stored is shown as it is", json: `"1e+06"`, want: "1e+06"},
		"a string with a fraction":         {reason: "the way to write one", json: `"0.5"`, want: "0.5"},
		"a string that says null":          {reason: "it is no null", json: `"null"`, want: "null"},
		"an integer":                       {reason: "decimal digits", json: `3`, want: "3"},
		"zero":                             {reason: "decimal digits", json: `0`, want: "0"},
		"minus one":                        {reason: "unlimited, in Kafka", json: `-1`, want: "-1"},
		"above 32 bits":                    {reason: "retention.ms of 30 days", json: `2592000000`, want: "2592000000"},
		"above 2^53":                       {reason: "a double would lose digits", json: `9007199254740993`, want: "9007199254740993"},
		"the largest":                      {reason: "Long.MAX_VALUE, which Kafka's defaults have", json: `9223372036854775807`, want: "9223372036854775807"},
		"the smallest":                     {reason: "Long.MIN_VALUE", json: `-9223372036854775808`, want: "-9223372036854775808"},
		"1e+06":                            {reason: "YAML tools make it of 1000000 (trap 8)", json: `1e+06`, want: "1000000"},
		"1E6":                              {reason: "as above", json: `1E6`, want: "1000000"},
		"2.592e+09":                        {reason: "as above", json: `2.592e+09`, want: "2592000000"},
		"-1e3":                             {reason: "as above", json: `-1e3`, want: "-1000"},
		"1.0":                              {reason: "it is whole", json: `1.0`, want: "1"},
		"a fraction":                       {reason: "no integer key takes one", json: `0.5`, err: "write a fraction as a string"},
		"a small exponent":                 {reason: "a fraction", json: `1e-3`, err: "write a fraction as a string"},
		"a float above 2^53":               {reason: "its last digits are lost already", json: `1e17`, err: "want an integer"},
		"an integer above 64 bits":         {reason: "Kafka has none", json: `9223372036854775808`, err: "want an integer"},
		"an exponent without bounds":       {reason: "infinity is no number of Kafka's", json: `1e999`, err: "want an integer"},
		"true":                             {reason: "Kafka's values are text", json: `true`, err: "want a string or an integer"},
		"a list":                           {reason: "Kafka's values are text", json: `["compact"]`, err: "want a string or an integer"},
		"an object":                        {reason: "Kafka's values are text", json: `{}`, err: "want a string or an integer"},
		"a string with an escaped newline": {reason: "as it is", json: `"a\nb"`, want: "a\nb"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var v v1alpha1.ConfigValue
			err := json.Unmarshal([]byte(tt.json), &v)
			if tt.err != "" {
				if err == nil || !strings.Contains(err.Error(), tt.err) {
					t.Fatalf("%s: got %q, %v; want an error that says %q", tt.reason, v, err, tt.err)
				}
				if !strings.Contains(err.Error(), tt.json) {
					t.Errorf("the error does not show the value: %v", err)
				}
				return
			}
			if err != nil || v.String() != tt.want {
				t.Fatalf("%s: got %q, %v; want %q", tt.reason, v, err, tt.want)
			}
			text, err := json.Marshal(v)
			if err != nil {
				t.Fatal(err)
			}
			var back v1alpha1.ConfigValue
			if err := json.Unmarshal(text, &back); err != nil || back != v || text[0] != '"' {
				t.Errorf("%s came back as %q, %v: the canonical form is a string", text, back, err)
			}
		})
	}
}

// A null removes a key on its way through kubectl; where one arrives all the same it is no value.
func TestConfigValueNull(t *testing.T) {
	var m map[string]v1alpha1.ConfigValue
	err := json.Unmarshal([]byte(`{"a": null}`), &m)
	if err != nil || m["a"].String() != "" {
		t.Errorf("%q, %v", m, err)
	}
}

func TestConfigValueInATopic(t *testing.T) {
	var topic v1alpha1.KafkaTopic
	manifest := "spec: {config: {retention.ms: 2592000000, segment.bytes: 1e+06, cleanup.policy: compact, a: '', b: \"1\"}}"
	if err := yaml.Unmarshal([]byte(manifest), &topic); err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]string{"retention.ms": "2592000000", "segment.bytes": "1000000", "cleanup.policy": "compact", "a": "", "b": "1"} {
		if got := topic.Spec.Config[key].String(); got != want {
			t.Errorf("%s is %q, want %q", key, got, want)
		}
	}
	if copied := topic.DeepCopy(); copied.Spec.Config["retention.ms"] != topic.Spec.Config["retention.ms"] {
		t.Error("a deep copy loses values")
	}
	if v := v1alpha1.MakeConfigValue("x"); v.String() != "x" {
		t.Errorf("%q", v)
	}
}

// Whatever arrives: no panic, and what is taken survives its own JSON and is spelled as Kafka parses it.
func FuzzConfigValue(f *testing.F) {
	for _, seed := range []string{`"a"`, `1e+06`, `2592000000`, `null`, `0.5`, `1e999`, `-0`, `-0.0`, `9223372036854775808`, `"\ud800"`, ` 1 `, `[`, ``, `1e1e1`, `0x10`, `"1e5`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var v v1alpha1.ConfigValue
		if err := json.Unmarshal(data, &v); err != nil {
			return
		}
		text, err := json.Marshal(v)
		if err != nil {
			t.Fatalf("%q was taken for %q, which does not marshal: %v", data, v, err)
		}
		var back v1alpha1.ConfigValue
		if err := json.Unmarshal(text, &back); err != nil || back != v {
			t.Errorf("%q was taken for %q, which came back as %q, %v", data, v, back, err)
		}
		trimmed := strings.TrimSpace(string(data))
		if trimmed == "null" || strings.HasPrefix(trimmed, `"`) {
			return
		}
		n, err := strconv.ParseInt(v.String(), 10, 64)
		if err != nil || strconv.FormatInt(n, 10) != v.String() {
			t.Errorf("the number %s was taken for %q, which is not how Kafka spells one", data, v)
		}
		if f, err := strconv.ParseFloat(trimmed, 64); err == nil && math.Abs(f-float64(n)) > math.Abs(f)*1e-15 {
			t.Errorf("the number %s was taken for %d", data, n)
		}
		if !utf8.ValidString(v.String()) {
			t.Errorf("%q is no text", v)
		}
	})
}
