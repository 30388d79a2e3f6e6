package producer

import (
	"fmt"
	"slices"
	"strings"
)

// Rendering is a configuration in one client's own names and spellings.
type Rendering struct {
	Client Client
	// Files to put under DirFiles, in order of their names. None holds a secret.
	Files []File
	// Env are environment variables, in the order that lets later ones refer to earlier ones with $(NAME).
	Env []EnvVar
	// Notes say what the client cannot be told, or was told otherwise, and why.
	Notes []string
}

// File is one file. Its name can have folders.
type File struct{ Name, Content string }

// EnvVar is one environment variable. One of Value and SecretKey is set.
type EnvVar struct {
	Name, Value string
	// SecretKey is the key of the credentials Secret that the value comes from.
	SecretKey string
	// IfUnset leaves alone what the container sets itself.
	IfUnset bool
}

// Render writes a configuration for a client. It does not judge: Validate does, and a configuration with errors is
// rendered as it is. The one error is a client that does not exist.
func Render(c Config, client Client) (Rendering, error) {
	render, ok := renderers[client]
	if !ok {
		return Rendering{}, fmt.Errorf("client %q: there is no such client; choose one of %s", client, clientNames())
	}
	r := render(c)
	r.Client = client
	slices.SortStableFunc(r.Files, func(a, b File) int { return strings.Compare(a.Name, b.Name) })
	return r, nil
}

var renderers = map[Client]func(Config) Rendering{
	ClientJava: renderJava, ClientLibrdkafka: renderLibrdkafka, ClientJSON: renderJSON, ClientEnv: renderEnv,
	ClientSpring: renderSpring, ClientMicroProfile: renderMicroProfile, ClientMicronaut: renderMicronaut, ClientAspire: renderAspire,
	ClientConnect: renderConnect, ClientServiceBinding: renderServiceBinding, ClientSarama: renderSarama, ClientFranzGo: renderFranzGo,
	ClientKafkaGo: renderKafkaGo, ClientKafkaJS: renderKafkaJS,
}

func clientNames() string {
	var names []string
	for _, c := range Clients() {
		names = append(names, string(c))
	}
	return strings.Join(names, ", ")
}

// Settings are what Render writes for a client of one flat table, as names and texts; nil for another client.
func Settings(c Config, client Client) map[string]string {
	switch client {
	case ClientJava, ClientJava3:
		return javaSettings(c).values
	case ClientLibrdkafka:
		return librdkafkaSettings(c).values
	case ClientSarama:
		return saramaSettings(c).values
	case ClientFranzGo:
		return franzSettings(c).values
	case ClientKafkaGo:
		return kafkaGoSettings(c).values
	case ClientKafkaJS:
		return kafkajsSettings(c).values
	}
	return nil
}

// writer gathers the settings of one client, and notes.
type writer struct {
	client string
	values map[string]string
	notes  []string
}

func newWriter(client string) *writer {
	return &writer{client: client, values: make(map[string]string)}
}

func (w *writer) set(name, text string) { w.values[name] = text }

func (w *writer) note(format string, args ...any) {
	w.notes = append(w.notes, fmt.Sprintf(format, args...))
}

// number writes a number as near as the client takes it. Written as it is, the client would not start.
func (w *writer) number(name string, n, lo, hi int64) {
	near := min(max(n, lo), hi)
	if near != n {
		w.note("%s takes %s from %d to %d: it is given %d instead of %d", w.client, name, lo, hi, near, n)
	}
	w.set(name, fmt.Sprint(near))
}

// propertiesFile writes a file for java.util.Properties.
func propertiesFile(values map[string]string) string {
	var b strings.Builder
	for _, name := range slices.Sorted(keysOf(values)) {
		b.WriteString(escapeProperty(name, true) + "=" + escapeProperty(values[name], false) + "\n")
	}
	return b.String()
}

// escapeProperty writes text as java.util.Properties reads it: it takes Latin-1 for granted, and white space, '=' and ':'
// end a name.
func escapeProperty(s string, name bool) string {
	var b strings.Builder
	for i, r := range s {
		switch {
		case r == '\\':
			b.WriteString(`\\`)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\r':
			b.WriteString(`\r`)
		case r == '\t':
			b.WriteString(`\t`)
		case r == '\f':
			b.WriteString(`\f`)
		case r == ' ' && (name || i == 0), name && strings.ContainsRune("=:#!", r):
			b.WriteString(`\` + string(r))
		case r > 0xffff:
			r -= 0x10000
			fmt.Fprintf(&b, `\u%04x\u%04x`, 0xd800+(r>>10), 0xdc00+(r&0x3ff))
		case r < ' ' || r > '~':
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// upper turns a property into the name of an environment variable: enable.idempotence is ENABLE_IDEMPOTENCE.
func upper(property string) string {
	return strings.NewReplacer(".", "_", "-", "_").Replace(strings.ToUpper(property))
}
