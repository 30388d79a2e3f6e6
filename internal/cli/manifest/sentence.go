package manifest

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation/field"
)

// faultOf makes a sentence of an error of the API machinery.
func faultOf(err *field.Error, kind FaultKind) fault {
	detail := strings.TrimPrefix(strings.TrimPrefix(err.Detail, err.Field+" in body "), " in body ")
	detail = regexUsed.ReplaceAllString(detail, "")
	switch err.Type {
	case field.ErrorTypeRequired:
		detail = strings.TrimSuffix("is missing; "+detail, "; ")
	case field.ErrorTypeNotSupported:
		detail = fmt.Sprintf("%q is not allowed; %s", fmt.Sprint(err.BadValue), detail)
	case field.ErrorTypeTooLong, field.ErrorTypeTooMany:
		detail = err.ErrorBody()
	case field.ErrorTypeForbidden: // there is no value that would do
	case field.ErrorTypeDuplicate:
		detail = "is there twice" + inBrackets(err.BadValue)
	case field.ErrorTypeTypeInvalid:
		detail = wrongType(detail)
	case field.ErrorTypeInvalid:
		if strings.HasPrefix(detail, quantityPattern) {
			detail = "is no quantity; write a number, or one with a unit, for example 64Ki or 32Mi"
		}
		detail += inBrackets(err.BadValue)
	default:
		detail += inBrackets(err.BadValue)
	}
	return fault{strings.TrimPrefix(strings.TrimPrefix(err.Field, "<nil>"), "."), detail, kind}
}

// quantityPattern begins the message about what is no resource.Quantity, which is a pattern and no help to anybody.
const quantityPattern = `should match '^(\+|-)?(([0-9]+(\.[0-9]*)?)|`

// regexUsed is the part of a message that says again, for machines, what it has said for people.
var regexUsed = regexp.MustCompile(` \(e\.g\. .*, regex used for validation is .*\)`)

var typeMessage = regexp.MustCompile(`^must be of type ([a-z,]+): "([a-z]+)"$`)

// typeNames are JSON's types in words; "null" is what is left of a field without a value.
var typeNames = map[string]string{
	"integer": "an integer", "number": "a number", "string": "a string", "boolean": "true or false",
	"array": "a list", "object": "an object", "null": "nothing",
}

func wrongType(message string) string {
	m := typeMessage.FindStringSubmatch(message)
	if m == nil || typeNames[m[2]] == "" {
		return message
	}
	wanted := strings.Split(m[1], ",")
	var names []string
	for _, t := range wanted {
		names = append(names, typeNames[t])
	}
	text := fmt.Sprintf("must be %s, and this is %s", strings.Join(names, " or "), typeNames[m[2]])
	switch {
	case m[2] == "string" && slices.Contains(wanted, "integer"):
		text += "; write it without quotes"
	case m[2] == "number" && slices.Contains(wanted, "string"):
		text += " with a fraction; write it in quotes"
	case m[2] == "boolean" && slices.Contains(wanted, "string"):
		text += "; write it in quotes"
	}
	return text
}

// inBrackets is a bad value where it is short enough to help.
func inBrackets(value any) string {
	switch v := value.(type) {
	case string:
		if _, placeholder := typeNames[v]; placeholder || len(v) > 60 {
			return "" // the machinery puts the name of the type in the place of values that are not scalar
		}
		return fmt.Sprintf(" (it is %q)", v)
	case int64, int32, int, bool:
		return fmt.Sprintf(" (it is %v)", v)
	case float64:
		if v == math.Trunc(v) && math.Abs(v) < 1<<53 {
			return fmt.Sprintf(" (it is %.0f)", v)
		}
		return fmt.Sprintf(" (it is %v)", v)
	}
	return ""
}
