package connect

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseProperties(t *testing.T) {
	tests := map[string]struct {
		reason string
		text   string
		want   map[string]string
	}{
		"comments and blank lines": {"They say nothing.", "# a\n\n ! b\n  \t\nx=1\n", map[string]string{"x": "1"}},
		"separators":               {"Java takes three.", "a=1\nb: 2\nc 3\nd\t=\t4\ne==5\nf", map[string]string{"a": "1", "b": "2", "c": "3", "d": "4", "e": "=5", "f": ""}},
		"continued lines": {"A backslash at the end joins the next line, without its leading space.",
			"sasl.jaas.config=org.x.PlainLoginModule required \\\n    username=\"u\" \\\r\n    password=\"p\";\nb=1",
			map[string]string{"sasl.jaas.config": `org.x.PlainLoginModule required username="u" password="p";`, "b": "1"}},
		"escapes":                   {"A backslash takes the meaning of a separator away.", `a\=b\ c=x\ty\\z\u00e9` + "\n" + `d=C:\\dir`, map[string]string{"a=b c": "x\ty\\zé", "d": `C:\dir`}},
		"two backslashes":           {"They are one, and join nothing.", "a=x\\\\\nb=1", map[string]string{"a": `x\`, "b": "1"}},
		"the last one":              {"A key that is there twice has its last value, as in Java.", "a=1\na=2", map[string]string{"a": "2"}},
		"white space behind values": {"It is part of the value, as in Java.", "a=1 ", map[string]string{"a": "1 "}},
		"a backslash at the end":    {"There is no line to join.", "a=1\\", map[string]string{"a": "1"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := ParseProperties(test.text)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("%s\n(-want +got)\n%s", test.reason, diff)
			}
		})
	}
	if _, err := ParseProperties("a=1\nb=\\u12"); err == nil || err.Error() != `line 2: \u must be followed by four hexadecimal digits` {
		t.Errorf("half an escape is an error that says where: %v", err)
	}
}

func TestParseJAAS(t *testing.T) {
	tests := map[string]struct {
		reason string
		text   string
		want   login
		err    string
	}{
		"as everybody writes it": {reason: "The usual form.", text: `a.b.PlainLoginModule required username="u" password="p";`,
			want: login{"a.b.PlainLoginModule", map[string]string{"username": "u", "password": "p"}}},
		"quotes and escapes": {reason: "A password may hold anything.", text: `m required a="x\"y;=\\" b='"' c=plain ;`,
			want: login{"m", map[string]string{"a": `x"y;=\`, "b": `"`, "c": "plain"}}},
		"no options":       {reason: "Some modules need none.", text: "m required;", want: login{"m", map[string]string{}}},
		"no semicolon":     {reason: "It is what most often is forgotten.", text: `m required a="b"`, err: "the semicolon at the end is missing"},
		"an open quote":    {reason: "The message says which.", text: `m required a="b;`, err: "the quote at position 14 is never closed"},
		"no value":         {reason: "The option is named.", text: `m required a;`, err: "the option a has no value"},
		"two modules":      {reason: "Kafka takes one.", text: `m required; n required;`, err: "there is text after the semicolon; Kafka takes one login module"},
		"nothing but text": {reason: "The message shows the form.", text: `m`, err: "want a login module, required, options as name=value, and a semicolon"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := parseJAAS(test.text)
			if test.err != "" {
				if err == nil || err.Error() != test.err {
					t.Fatalf("%s Got error %v, want %s", test.reason, err, test.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, got, cmp.AllowUnexported(login{})); diff != "" {
				t.Errorf("%s\n(-want +got)\n%s", test.reason, diff)
			}
		})
	}
}

// FuzzProperties: no file makes it panic, and the settings are there or an error.
func FuzzProperties(f *testing.F) {
	f.Add("security.protocol=SASL_SSL\nsasl.mechanism=PLAIN\nsasl.jaas.config=x.PlainLoginModule required username=\"u\" password='p';")
	f.Add("a\\")
	f.Add("\\u")
	f.Add("sasl.jaas.config=a b c=\"\\")
	f.Fuzz(func(t *testing.T, text string) {
		properties, err := ParseProperties(text)
		if err != nil {
			return
		}
		properties["security.protocol"] = "SASL_SSL"
		read := func(string) ([]byte, error) { return []byte("-----BEGIN "), nil }
		s, err := FromProperties(properties, read)
		if err == nil && (s.SASL == nil || s.TLS == nil) {
			t.Errorf("neither an error nor settings: %+v", s)
		}
	})
}
