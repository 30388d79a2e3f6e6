package cli

import (
	"fmt"
	"strings"

	"mooring.dev/mooring/internal/producer"
)

// rendered is what one client is given, for people.
func rendered(r producer.Rendering) string {
	var b strings.Builder
	fmt.Fprintf(&b, "## %s: %s\n", r.Client, r.Client.Doc())
	for _, f := range r.Files {
		fmt.Fprintf(&b, "\n--- %s/%s\n%s", producer.DirFiles, f.Name, f.Content)
		if !strings.HasSuffix(f.Content, "\n") {
			b.WriteString("\n")
		}
	}
	if len(r.Env) > 0 {
		b.WriteString("\n--- environment\n" + envText(r.Env))
	}
	if len(r.Notes) > 0 {
		b.WriteString("\n")
	}
	for _, note := range r.Notes {
		fmt.Fprintf(&b, "# %s\n", note)
	}
	b.WriteString("\n")
	return b.String()
}

// envText is one variable a line, as docker and systemd read it. What comes from a Secret, and what gives way to the
// container's own, is a comment.
func envText(env []producer.EnvVar) string {
	var b strings.Builder
	for _, e := range env {
		switch {
		case e.SecretKey != "":
			fmt.Fprintf(&b, "# %s: from the key %s of the credentials' Secret\n", e.Name, e.SecretKey)
		case e.IfUnset:
			fmt.Fprintf(&b, "# unless the container sets it: %s=%s\n", e.Name, e.Value)
		default:
			fmt.Fprintf(&b, "%s=%s\n", e.Name, e.Value)
		}
	}
	return b.String()
}
