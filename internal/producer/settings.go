package producer

import (
	"slices"
	"strings"
)

// Setting is one setting of a client, in its own names: what the reference page lists, and what Judge knows.
type Setting struct {
	Name string
	// AliasOf is the setting that this is another name of, or "".
	AliasOf string
	// Kind of value, in the client's own words.
	Kind string
	// Default of the client, "" for none.
	Default string
	// Min and Max bound numbers where HasRange; durations in nanoseconds.
	HasRange bool
	Min, Max float64
	// Words are the texts that are allowed; empty allows all.
	Words []string
}

// KnownSettings are the settings of a client in order of their names; nil for a client that Judge has no table for.
func KnownSettings(client Client) []Setting {
	var settings []Setting
	switch client {
	case ClientLibrdkafka:
		for _, p := range librdkafkaProperties {
			ranged := p.kind == rdInteger || p.kind == rdFloat
			settings = append(settings, Setting{p.name, p.alias, string(p.kind), p.otherwise, ranged, p.min, p.max, p.words})
		}
	case ClientSarama:
		settings = goKnown(saramaFields)
	case ClientFranzGo:
		settings = goKnown(franzFields)
	}
	slices.SortFunc(settings, func(a, b Setting) int { return strings.Compare(a.Name, b.Name) })
	return settings
}

func goKnown(fields map[string]goField) []Setting {
	var settings []Setting
	for _, f := range fields {
		ranged := f.kind == goInt || f.kind == goDuration
		settings = append(settings, Setting{f.name, "", string(f.kind), f.otherwise, ranged, f.min, f.max, f.words})
	}
	return settings
}
