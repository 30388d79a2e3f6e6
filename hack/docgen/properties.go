package main

import (
	"fmt"
	"strings"

	"mooring.dev/mooring/internal/producer"
)

// propertiesPage lists the producer's properties, from the table that validates them.
func propertiesPage() (string, error) {
	var b strings.Builder
	b.WriteString(`# Producer properties

Generated from the property table by ` + "`make generate`" + `; ` + "`test/conformance`" + ` compares the table with the Java client's own. These are all properties of the
producer of Apache Kafka 4.3, as the Java client spells them. "Set by" is where a ProducerProfile, or what it refers to, sets one. A guarantee sets what is
not set; what nobody sets is left to the client, whose default this is.

| property | type | default | takes | since | set by | what |
|---|---|---|---|---|---|---|
`)
	for _, p := range producer.Properties() {
		value, ok := p.DefaultValue()
		switch {
		case p.Required():
			value = "required"
		case !ok:
			value = ""
		case value == "":
			value = "empty"
		default:
			value = "`" + value + "`"
		}
		set := producer.FieldOf(p.Name)
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s | %s | %s | %s |\n", p.Name, p.Type, cell(value), cell(p.Valid.String()), p.Since, cell(set), cell(p.Doc))
	}
	return b.String(), nil
}
