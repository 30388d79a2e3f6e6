package v1alpha1

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
)

// ConfigValue is the value of one topic configuration key: a string or an integer. Integers of any int64 size
// are taken (retention.ms exceeds 32 bits), and kept as Kafka spells them: decimal digits.
//
// The zero value is the empty string, which is a value (cleanup.policy may be empty from Kafka 4.2 on). A null is not a
// value: kubectl's client-side apply turns a null into "remove this key" on its way, so it could not mean anything else.
//
// +kubebuilder:validation:XIntOrString
// +kubebuilder:validation:Type=""
// +kubebuilder:validation:MaxLength=8192
type ConfigValue struct {
	text string `json:"-"`
}

// MakeConfigValue returns the ConfigValue that a manifest with this string would give.
func MakeConfigValue(s string) ConfigValue { return ConfigValue{text: s} }

// String is the value as Kafka takes it.
func (v ConfigValue) String() string { return v.text }

// MarshalJSON writes a JSON string: the canonical form, whatever the manifest had.
func (v ConfigValue) MarshalJSON() ([]byte, error) { return json.Marshal(v.text) }

// UnmarshalJSON takes a JSON string, an integer, or a number that is integral (YAML tooling turns 1000000 into 1e+06);
// a fraction is an error, because no integer key of Kafka takes one and a string says it exactly.
func (v *ConfigValue) UnmarshalJSON(data []byte) error {
	var text string
	if err := json.Unmarshal(data, &text); err == nil {
		v.text = text
		return nil
	}
	var number json.Number
	if err := json.Unmarshal(data, &number); err != nil {
		return fmt.Errorf("config value %s: want a string or an integer", data)
	}
	if whole, err := number.Int64(); err == nil {
		v.text = strconv.FormatInt(whole, 10)
		return nil
	}
	float, err := number.Float64()
	if err != nil || float != math.Trunc(float) || math.Abs(float) >= 1<<53 {
		return fmt.Errorf("config value %s: want an integer; write a fraction as a string", data)
	}
	v.text = strconv.FormatInt(int64(float), 10)
	return nil
}

// OpenAPISchemaType is for the generators: int-or-string has no single type.
func (ConfigValue) OpenAPISchemaType() []string { return nil }

// OpenAPISchemaFormat is for the generators.
func (ConfigValue) OpenAPISchemaFormat() string { return "int-or-string" }
