package producer

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// goField is one setting of a client in Go: a field of its config, or one of its options.
type goField struct {
	name      string
	kind      goKind
	otherwise string // the client's default
	min, max  float64
	words     []string
}

type goKind string

const (
	goBool     goKind = "bool"
	goInt      goKind = "int"
	goDuration goKind = "duration" // min and max are nanoseconds
	goString   goKind = "string"
)

const (
	anyLow  = math.MinInt64
	anyHigh = math.MaxInt64
)

// goFields makes settings readable by name.
func goFields(fields []goField) map[string]goField {
	byName := make(map[string]goField, len(fields))
	for _, f := range fields {
		byName[f.name] = f
	}
	return byName
}

func (f goField) parse(text string) (float64, error) {
	switch f.kind {
	case goBool:
		b, err := strconv.ParseBool(text)
		if err != nil {
			return 0, errors.New("must be true or false")
		}
		if b {
			return 1, nil
		}
		return 0, nil
	case goInt:
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return 0, errors.New("must be a whole number")
		}
		return float64(n), f.inRange(float64(n), text)
	case goDuration:
		d, err := time.ParseDuration(text)
		if err != nil {
			return 0, errors.New("must be a duration like 30s")
		}
		return float64(d), f.inRange(float64(d), text)
	}
	if len(f.words) == 0 {
		return 0, nil
	}
	for i, w := range f.words {
		if w == text {
			return float64(i), nil
		}
	}
	return 0, fmt.Errorf("must be one of %s", strings.Join(f.words, ", "))
}

func (f goField) inRange(n float64, text string) error {
	if n >= f.min && n <= f.max {
		return nil
	}
	show := number
	if f.kind == goDuration {
		show = func(n float64) string { return time.Duration(n).String() }
	}
	switch {
	case f.max == anyHigh:
		return fmt.Errorf("must be at least %s", show(f.min))
	case f.min == anyLow:
		return fmt.Errorf("must be at most %s", show(f.max))
	}
	return fmt.Errorf("must be %s to %s", show(f.min), show(f.max))
}

// goSettings reads the settings of a client in Go.
type goSettings struct {
	c      *Config
	fields map[string]goField
}

func (s goSettings) get(name string) string {
	if text, set := s.c.Get(name); set {
		return text
	}
	return s.fields[name].otherwise
}

func (s goSettings) number(name string) float64 {
	n, _ := s.fields[name].parse(s.get(name))
	return n
}

func (s goSettings) is(name string) bool { return s.number(name) == 1 }

func (s goSettings) set(name string) bool {
	_, set := s.c.Get(name)
	return set
}

// goValues is the rule that every setting must be one of the client's, and what it takes.
func goValues(client Client, fields map[string]goField, source string) Rule {
	return Rule{
		ID: string(client) + "-value", Client: client, Severity: Error, Fields: []string{"any setting"},
		Sentence: "a setting must be one that " + string(client) + " has, and what it takes", Source: source,
		check: func(c *Config) []hit {
			var hits []hit
			for _, name := range c.Names() {
				f, known := fields[name]
				if !known {
					hits = append(hits, say(name, "%s has no setting %.100q that Mooring knows; remove it", client, name)...)
					continue
				}
				if _, err := f.parse(c.Values[name].Text); err != nil {
					hits = append(hits, say(name, "%s is %.100q and %v", name, c.Values[name].Text, err)...)
				}
			}
			return hits
		},
	}
}

// goRules makes rules of a client in Go.
func goRules(client Client, fields map[string]goField, source string) func(id, field, sentence string, broken func(goSettings) bool) Rule {
	return func(id, field, sentence string, broken func(goSettings) bool) Rule {
		return Rule{
			ID: string(client) + "-" + id, Client: client, Severity: Error, Fields: []string{field}, Sentence: sentence, Source: source,
			check: when(func(c *Config) bool { return broken(goSettings{c, fields}) }),
		}
	}
}
