package producer

import (
	"errors"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Valid is what a value must be beyond its type. The zero value allows everything.
type Valid struct {
	// Min and Max bound numbers, both included; nil is open.
	Min, Max *float64
	// Or is one number outside the bounds that is allowed too.
	Or *float64
	// OneOf are the strings that are allowed; empty allows all.
	OneOf []string
	// Fold makes OneOf blind to case.
	Fold bool
	// NonEmpty refuses the empty string and the empty list.
	NonEmpty bool
	// NoBlanks refuses a list with an empty item. An item that is there twice counts once.
	NoBlanks bool
}

var (
	anything = Valid{}
	nonEmpty = Valid{NonEmpty: true}
)

func atLeast(lo float64) Valid           { return Valid{Min: &lo} }
func between(lo, hi float64) Valid       { return Valid{Min: &lo, Max: &hi} }
func betweenOr(lo, hi, or float64) Valid { return Valid{Min: &lo, Max: &hi, Or: &or} }
func oneOf(values ...string) Valid       { return Valid{OneOf: values} }
func oneOfFold(values ...string) Valid   { return Valid{OneOf: values, Fold: true} }
func itemsOf(emptyAllowed bool) Valid    { return Valid{NoBlanks: true, NonEmpty: !emptyAllowed} }

// String says what is valid, for the reference pages.
func (v Valid) String() string {
	switch {
	case len(v.OneOf) > 0:
		return strings.Join(v.OneOf, ", ")
	case v.Min != nil && v.Max != nil:
		text := number(*v.Min) + " to " + number(*v.Max)
		if v.Or != nil {
			text += ", or " + number(*v.Or)
		}
		return text
	case v.Min != nil:
		return number(*v.Min) + " or more"
	case v.NonEmpty:
		return "not empty"
	}
	return ""
}

func number(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }

// Check says what is wrong with a value, as the client that has the property sees it; nil is fine. A class is only
// checked for its spelling: whether it is there only the application knows.
func (p Property) Check(value string) error {
	value = javaTrim(value)
	switch p.Type {
	case Boolean:
		if !strings.EqualFold(value, "true") && !strings.EqualFold(value, "false") {
			return errors.New("must be true or false")
		}
		return nil
	case Int, Short, Long, Double:
		n, err := parseNumber(p.Type, value)
		if err != nil {
			return err
		}
		return p.Valid.checkNumber(n)
	case List:
		return p.Valid.checkList(splitList(value))
	case Class:
		if !className.MatchString(value) {
			return errors.New("must be the full name of a class")
		}
		return nil
	}
	return p.Valid.checkString(value)
}

// javaTrim is String.trim of Java: it takes control characters away with the spaces.
func javaTrim(s string) string { return strings.TrimFunc(s, func(r rune) bool { return r <= ' ' }) }

var className = regexp.MustCompile(`^[\p{L}_$][\p{L}\p{N}_$]*(\.[\p{L}_$][\p{L}\p{N}_$]*)*$`)

func bits(t Type) int {
	switch t {
	case Short:
		return 16
	case Int:
		return 32
	}
	return 64
}

var javaDouble = regexp.MustCompile(`^[+-]?(NaN|Infinity|([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?[fFdD]?)$`)

func parseNumber(t Type, value string) (float64, error) {
	if t == Double {
		if !javaDouble.MatchString(value) {
			return 0, errors.New("must be a number")
		}
		f, err := strconv.ParseFloat(strings.TrimRight(value, "fFdD"), 64)
		if err != nil && !math.IsInf(f, 0) {
			return 0, errors.New("must be a number")
		}
		return f, nil
	}
	n, err := strconv.ParseInt(value, 10, bits(t))
	switch {
	case errors.Is(err, strconv.ErrRange):
		return 0, fmt.Errorf("does not fit into %d bits; it may be %d at most", bits(t), int64(1)<<(bits(t)-1)-1)
	case err != nil:
		return 0, errors.New("must be a whole number, without a unit")
	}
	return float64(n), nil
}

func (v Valid) checkNumber(n float64) error {
	if v.Or != nil && n == *v.Or {
		return nil
	}
	if v.Min != nil && n < *v.Min || v.Max != nil && n > *v.Max {
		return errors.New("must be " + v.String())
	}
	return nil
}

func (v Valid) checkString(s string) error {
	switch {
	case v.NonEmpty && s == "":
		return errors.New("must not be empty")
	case len(v.OneOf) == 0:
		return nil
	case v.Fold && slices.ContainsFunc(v.OneOf, func(o string) bool { return strings.EqualFold(o, s) }):
		return nil
	case !v.Fold && slices.Contains(v.OneOf, s):
		return nil
	case slices.ContainsFunc(v.OneOf, func(o string) bool { return strings.EqualFold(o, s) }):
		return fmt.Errorf("must be one of %s, and case counts", v)
	}
	return fmt.Errorf("must be one of %s", v)
}

func (v Valid) checkList(items []string) error {
	if v.NonEmpty && len(items) == 0 {
		return errors.New("must not be empty")
	}
	if v.NoBlanks && slices.Contains(items, "") {
		return errors.New("has an empty item; look for a comma too many")
	}
	return nil
}

// comma parts the items of a list with the white space around it, as the Java client does.
var comma = regexp.MustCompile(`[ \t\n\v\f\r]*,[ \t\n\v\f\r]*`)

func splitList(s string) []string {
	if s == "" {
		return nil
	}
	return comma.Split(s, -1)
}
