package connect

import (
	"errors"
	"fmt"
	"strings"
)

// login is one entry of a JAAS configuration: the class of a login module, and its options.
type login struct {
	module  string
	options map[string]string
}

// parseJAAS reads sasl.jaas.config, for example:
//
//	org.apache.kafka.common.security.plain.PlainLoginModule required username="u" password="p";
func parseJAAS(text string) (login, error) {
	tokens, err := jaasTokens(text)
	if err != nil {
		return login{}, err
	}
	if len(tokens) < 2 {
		return login{}, errors.New("want a login module, required, options as name=value, and a semicolon")
	}
	l := login{module: tokens[0].text, options: make(map[string]string)}
	rest := tokens[2:] // the control flag: Kafka takes one module only, so they all mean the same
	for len(rest) > 0 {
		if rest[0].is(";") {
			if len(rest) > 1 {
				return login{}, errors.New("there is text after the semicolon; Kafka takes one login module")
			}
			return l, nil
		}
		if len(rest) < 3 || !rest[1].is("=") || rest[2].is(";") || rest[2].is("=") {
			return login{}, fmt.Errorf("the option %s has no value", rest[0].text)
		}
		l.options[rest[0].text] = rest[2].text
		rest = rest[3:]
	}
	return login{}, errors.New("the semicolon at the end is missing")
}

// token is a word, a quoted text, or one of = and ;.
type token struct {
	text   string
	quoted bool
}

func (t token) is(mark string) bool { return !t.quoted && t.text == mark }

func jaasTokens(text string) ([]token, error) {
	var tokens []token
	for i := 0; i < len(text); {
		switch c := text[i]; {
		case strings.IndexByte(" \t\r\n\f", c) >= 0:
			i++
		case c == '=' || c == ';':
			tokens = append(tokens, token{text: string(c)})
			i++
		case c == '"' || c == '\'':
			value, end, ok := quoted(text, i)
			if !ok {
				return nil, fmt.Errorf("the quote at position %d is never closed", i+1)
			}
			tokens = append(tokens, token{text: value, quoted: true})
			i = end
		default:
			end := i
			for end < len(text) && strings.IndexByte(" \t\r\n\f=;\"'", text[end]) < 0 {
				end++
			}
			tokens = append(tokens, token{text: text[i:end]})
			i = end
		}
	}
	return tokens, nil
}

// quoted reads a quoted text that begins at i, and returns where it ends.
func quoted(text string, i int) (value string, end int, ok bool) {
	quote := text[i]
	var b strings.Builder
	for i++; i < len(text); i++ {
		switch {
		case text[i] == quote:
			return b.String(), i + 1, true
		case text[i] == '\\' && i+1 < len(text):
			i++
			b.WriteByte(text[i])
		default:
			b.WriteByte(text[i])
		}
	}
	return "", 0, false
}
