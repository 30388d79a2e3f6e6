// Package connect finds out how to reach a Kafka cluster: from the properties file of a Java client, from flags, or from a
// KafkaCluster and its Secrets. It reads no file by itself; who calls it says how.
package connect

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// ParseProperties reads a Java properties file (java.util.Properties#load): # and ! begin comments, =, : or white space end a
// key, a backslash escapes, and at the end of a line joins it with the next.
func ParseProperties(text string) (map[string]string, error) {
	properties := make(map[string]string)
	lines := strings.Split(strings.ReplaceAll(strings.ReplaceAll(text, "\r\n", "\n"), "\r", "\n"), "\n")
	for i := 0; i < len(lines); i++ {
		number := i + 1
		line := strings.TrimLeft(lines[i], " \t\f")
		if line == "" || line[0] == '#' || line[0] == '!' {
			continue
		}
		var logical strings.Builder
		for continues(line) && i+1 < len(lines) {
			logical.WriteString(line[:len(line)-1])
			i++
			line = strings.TrimLeft(lines[i], " \t\f")
		}
		logical.WriteString(line)
		key, value := cutProperty(logical.String())
		key, errKey := unescape(key)
		value, errValue := unescape(value)
		if errKey != nil || errValue != nil {
			return nil, fmt.Errorf("line %d: \\u must be followed by four hexadecimal digits", number)
		}
		properties[key] = value
	}
	return properties, nil
}

// continues says whether a line ends in an odd number of backslashes.
func continues(line string) bool {
	return (len(line)-len(strings.TrimRight(line, `\`)))%2 == 1
}

// cutProperty cuts at the first =, : or white space that is not escaped.
func cutProperty(line string) (key, value string) {
	end := len(line)
	for i := 0; i < len(line); i++ {
		if line[i] == '\\' {
			i++
			continue
		}
		if strings.IndexByte("=: \t\f", line[i]) >= 0 {
			end = i
			break
		}
	}
	key, value = line[:end], strings.TrimLeft(line[end:], " \t\f")
	if value != "" && (value[0] == '=' || value[0] == ':') {
		value = strings.TrimLeft(value[1:], " \t\f")
	}
	return key, value
}

func unescape(s string) (string, error) {
	if !strings.Contains(s, `\`) {
		return s, nil
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' || i+1 == len(s) {
			if s[i] != '\\' {
				b.WriteByte(s[i])
			}
			continue
		}
		i++
		switch s[i] {
		case 't':
			b.WriteByte('\t')
		case 'n':
			b.WriteByte('\n')
		case 'r':
			b.WriteByte('\r')
		case 'f':
			b.WriteByte('\f')
		case 'u':
			if i+4 >= len(s) {
				return "", strconv.ErrSyntax
			}
			unit, err := strconv.ParseUint(s[i+1:i+5], 16, 16)
			if err != nil {
				return "", err
			}
			b.WriteString(string(utf8.AppendRune(nil, rune(unit))))
			i += 4
		default:
			b.WriteByte(s[i])
		}
	}
	return b.String(), nil
}
