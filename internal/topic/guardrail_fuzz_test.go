package topic

import (
	"regexp"
	"strings"
	"testing"

	"mooring.dev/mooring/api/v1alpha1"
)

// FuzzCompileName: no pattern panics, and one that compiles matches whole names only.
func FuzzCompileName(f *testing.F) {
	for _, seed := range [][2]string{
		{`^{{ .Namespace }}\.[a-z0-9.-]+$`, "shop.orders"}, {`a)|(.*`, "x"}, {`(?i)SHOP`, "shop"}, {`(?m)^a$`, "a\nb"}, {`[{{.Namespace}}]`, "s"},
		{`\`, ""}, {`{{ .Name }}`, "a"}, {`(?:`, "a"}, {`a{1000}{1000}`, "a"}, {`|`, ""}, {`(?s).*(?-s)`, "a\n"}, {`\Qa`, "a"},
	} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, pattern, name string) {
		filled := fillNamespace(pattern, "shop")
		whole, err := compileName(filled)
		if err != nil {
			if strings.TrimSpace(err.Error()) == "" {
				t.Fatalf("pattern %q is refused without a word", pattern)
			}
			return
		}
		longest := regexp.MustCompile(filled)
		longest.Longest()
		if whole.MatchString(name) && len(name) > 0 && longest.FindStringIndex(name) == nil {
			t.Fatalf("pattern %q matches the whole of %q, and no part of it", pattern, name)
		}
	})
}

// FuzzGlobMatch compares with RE2, which is right and slower to set up.
func FuzzGlobMatch(f *testing.F) {
	for _, seed := range [][2]string{
		{"retention.*", "retention.ms"}, {"*", ""}, {"", ""}, {"", "a"}, {"**a", "ba"}, {"*a*b*", "xaxbx"}, {"a*a", "a"}, {"*.ms", "retention.ms.x"},
		{strings.Repeat("*a", 30), strings.Repeat("a", 60)}, {"a?c", "abc"}, {"[a]", "a"},
	} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, pattern, text string) {
		parts := strings.Split(pattern, "*")
		for i := range parts {
			parts[i] = regexp.QuoteMeta(parts[i])
		}
		want, err := regexp.Compile(`(?s)\A` + strings.Join(parts, ".*") + `\z`)
		if err != nil || !isASCII(pattern) || !isASCII(text) {
			return // RE2 takes no invalid UTF-8; configuration keys have ASCII only
		}
		if got := globMatch(pattern, text); got != want.MatchString(text) {
			t.Fatalf("globMatch(%q, %q) = %t", pattern, text, got)
		}
	})
}

func isASCII(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r > 127 })
}

// FuzzParseBounds: what parses is ordered, and nothing panics.
func FuzzParseBounds(f *testing.F) {
	f.Add("1", "2")
	f.Add("", "-1")
	f.Add("9223372036854775808", "")
	f.Fuzz(func(t *testing.T, least, most string) {
		low, high, err := parseBounds(boundsOf(least, most))
		if err == nil && low > size(high) {
			t.Fatalf("min %d is above max %d", low, high)
		}
	})
}

func boundsOf(least, most string) v1alpha1.ConfigBounds {
	return v1alpha1.ConfigBounds{Min: least, Max: most}
}
