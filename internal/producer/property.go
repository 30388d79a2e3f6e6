package producer

import (
	"slices"
	"strings"
)

// Property is one property of the Java producer.
type Property struct {
	Name string
	Type Type
	// Default is what the client uses where nothing is set; null and required stand for none.
	Default string
	// Valid is what else a parsed value must be.
	Valid Valid
	// Since is the first release of Apache Kafka whose producer has the property.
	Since string
	// Doc says in a line what the property does.
	Doc string
}

// Type of a property, as Kafka's ConfigDef names it.
type Type string

// The types.
const (
	Boolean  Type = "boolean"
	String   Type = "string"
	Int      Type = "int"
	Short    Type = "short"
	Long     Type = "long"
	Double   Type = "double"
	List     Type = "list"
	Class    Type = "class"
	Password Type = "password"
)

// What Property.Default says where there is none. Neither can be a real default: both have characters of no value.
const (
	null     = "<null>"
	required = "<required>"
)

// DefaultValue is the default, and whether there is one.
func (p Property) DefaultValue() (string, bool) {
	return p.Default, p.Default != null && p.Default != required
}

// Required says that the client does not start without the property.
func (p Property) Required() bool { return p.Default == required }

// Properties are all properties of the Java producer, in order of their names.
func Properties() []Property {
	all := slices.Concat(producerProperties, securityProperties)
	slices.SortFunc(all, func(a, b Property) int { return strings.Compare(a.Name, b.Name) })
	return all
}

var propertyByName = func() map[string]Property {
	byName := make(map[string]Property)
	for _, p := range Properties() {
		byName[p.Name] = p
	}
	return byName
}()

// PropertyOf finds a property by its name.
func PropertyOf(name string) (Property, bool) {
	p, ok := propertyByName[name]
	return p, ok
}

// removedProperties are names that the producer had once, with what to do instead.
var removedProperties = map[string]string{
	"auto.include.jmx.reporter": "Kafka 4.0 removed it; list JmxReporter in metric.reporters, which is the default",
	"block.on.buffer.full":      "Kafka 0.11 removed it; max.block.ms says how long send() may wait",
	"metadata.fetch.timeout.ms": "Kafka 0.11 removed it; max.block.ms says how long send() may wait",
	"timeout.ms":                "Kafka 0.11 removed it; request.timeout.ms took its place",
}

// passedOn are prefixes of names that the Java client hands to what it loads, without knowing them itself.
var passedOn = []string{"config.providers.", "metrics.context."}

func isPassedOn(name string) bool {
	return slices.ContainsFunc(passedOn, func(prefix string) bool { return strings.HasPrefix(name, prefix) })
}

// explainUnknown is the sentence for a name that the producer does not have.
func explainUnknown(name string) string {
	if instead, ok := removedProperties[name]; ok {
		return name + " is no property of the producer any more: " + instead
	}
	if near := nearest(name, slices.Sorted(keysOf(propertyByName))); near != "" {
		return name + " is no property of the Kafka 4 producer; did you mean " + near + "?"
	}
	return name + " is no property of the Kafka 4 producer; remove it"
}
