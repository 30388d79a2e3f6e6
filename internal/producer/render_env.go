package producer

import (
	"maps"
	"slices"
	"strings"
)

func isNumeric(t Type) bool { return t == Int || t == Short || t == Long || t == Double }

// typedProperties are the properties with their types: numbers, booleans and lists as JSON has them.
func typedProperties(c Config) map[string]any {
	typed := make(map[string]any, len(c.Values))
	for name, v := range c.Values {
		p := propertyByName[name]
		typed[name] = typedText(v.Text, p.Type == Boolean, isNumeric(p.Type))
		if p.Type == List {
			typed[name] = append([]string{}, splitList(javaTrim(v.Text))...)
		}
	}
	return typed
}

func renderJSON(c Config) Rendering {
	content := map[string]any{"guarantee": c.Guarantee, "properties": typedProperties(c)}
	s := c.Security
	files := map[string]string{
		"caFile": s.CAFile, "serverName": s.ServerName, "certificateFile": s.CertificateFile, "keyFile": s.KeyFile,
		"mechanism": s.Mechanism, "credentialsDir": s.CredentialsDir,
	}
	maps.DeleteFunc(files, func(_, v string) bool { return v == "" })
	if len(files) > 0 {
		content["security"] = files
	}
	return Rendering{Files: []File{{"producer.json", jsonFile(content)}}}
}

func renderEnv(c Config) Rendering {
	env := secretEnv(c.Security)
	env = append(env, EnvVar{Name: "KAFKA_PRODUCER_CONFIG", Value: DirFiles + "/producer.properties"})
	if c.Security.CAFile != "" {
		env = append(env, EnvVar{Name: "KAFKA_SSL_CA_LOCATION", Value: c.Security.CAFile})
	}
	for _, name := range c.Names() {
		env = append(env, EnvVar{Name: "KAFKA_" + upper(name), Value: c.Values[name].Text})
	}
	return Rendering{Env: env, Notes: []string{"no client reads these by itself: they are what many applications read"}}
}

// springOwn are the properties that Spring Boot has keys of its own for.
var springOwn = map[string]string{
	propAcks: "ACKS", propRetries: "RETRIES", propBatchSize: "BATCH_SIZE", propBufferMemory: "BUFFER_MEMORY",
	propCompression: "COMPRESSION_TYPE", propClientID: "CLIENT_ID", propTransactionalID: "TRANSACTION_ID_PREFIX",
}

func renderSpring(c Config) Rendering {
	env, notes := javaEnv(c, func(property string) string {
		switch own := springOwn[property]; {
		case property == propBootstrap:
			return "SPRING_KAFKA_BOOTSTRAP_SERVERS"
		case own != "":
			return "SPRING_KAFKA_PRODUCER_" + own
		case property == propSecurityProtocol:
			return "SPRING_KAFKA_SECURITY_PROTOCOL"
		case strings.HasPrefix(property, "ssl.") || strings.HasPrefix(property, "sasl."):
			return "SPRING_KAFKA_PROPERTIES_" + upper(property)
		default:
			return "SPRING_KAFKA_PRODUCER_PROPERTIES_" + upper(property)
		}
	})
	const binder = "SPRING_CLOUD_STREAM_KAFKA_BINDER_"
	if servers, ok := c.Get(propBootstrap); ok {
		env = append(env, EnvVar{Name: binder + "BROKERS", Value: servers})
	}
	// The binder's own default is acks 1, which switches the client's idempotence off.
	env = append(env, EnvVar{Name: binder + "REQUIREDACKS", Value: c.Values[propAcks].Text})
	for _, name := range c.Names() {
		if name != propBootstrap && name != propTransactionalID {
			env = append(env, EnvVar{Name: binder + "PRODUCERPROPERTIES_" + upper(name), Value: c.Values[name].Text})
		}
	}
	if _, transactional := c.Get(propTransactionalID); transactional {
		notes = append(notes, "Spring makes transactional.id of the prefix and a number of its own")
	}
	if id, named := c.Get(propClientID); named {
		notes = append(notes, "Spring puts a number behind client.id ("+id+"-1, "+id+"-2): a quota for the client ID does not meet these producers, one for the user does")
	}
	return Rendering{Env: env, Notes: notes}
}

func renderMicroProfile(c Config) Rendering {
	env, notes := javaEnv(c, func(property string) string { return "KAFKA_" + upper(property) })
	// The connector's own default is acks 1, and an attribute of the connector wins over kafka.*.
	for _, name := range c.Names() {
		env = append(env, EnvVar{Name: "MP_MESSAGING_CONNECTOR_SMALLRYE_KAFKA_" + upper(name), Value: c.Values[name].Text})
	}
	return Rendering{Env: env, Notes: notes}
}

func renderMicronaut(c Config) Rendering {
	env, notes := javaEnv(c, func(property string) string {
		if property == propBootstrap || strings.HasPrefix(property, "ssl.") || strings.HasPrefix(property, "sasl.") || property == propSecurityProtocol {
			return "KAFKA_" + upper(property)
		}
		return "KAFKA_PRODUCERS_DEFAULT_" + upper(property)
	})
	return Rendering{Env: env, Notes: append(notes, "a producer with an ID of its own (@KafkaClient(id)) does not read the default's settings: name them KAFKA_PRODUCERS_<ID>_...")}
}

func renderConnect(c Config) Rendering {
	id := propTransactionalID
	own := c
	own.Values = maps.Clone(c.Values)
	delete(own.Values, id) // Connect gives its tasks transactional IDs of its own
	isWorker := func(property string) bool {
		return property == propBootstrap || property == propSecurityProtocol || strings.HasPrefix(property, "ssl.") || strings.HasPrefix(property, "sasl.")
	}
	env, notes := javaEnv(own, func(property string) string {
		if isWorker(property) {
			return "CONNECT_" + upper(property)
		}
		return "CONNECT_PRODUCER_" + upper(property)
	})
	w := javaSettings(own)
	values := make(map[string]string)
	for name, text := range w.values {
		switch {
		case name == propBootstrap || strings.HasPrefix(name, "config.providers"):
			values[name] = text
		case isWorker(name):
			values[name], values["producer."+name] = text, text
		default:
			values["producer."+name] = text
		}
	}
	notes = append(notes, "sink connectors do not produce; a source connector's producer.override.* wins over this unless connector.client.config.override.policy is None")
	if _, transactional := c.Get(id); transactional {
		notes = append(notes, "Connect chooses its tasks' transactional.id: set exactly.once.source.support on the worker")
	}
	return Rendering{Files: []File{{"connect.properties", propertiesFile(values)}}, Env: env, Notes: notes}
}

// renderServiceBinding writes addresses and the way to authenticate; the specification has no place for producer policy.
// Spring Cloud Bindings and Quarkus spell the keys differently, so both spellings are there.
func renderServiceBinding(c Config) Rendering {
	dir := "bindings/kafka/"
	files := []File{{dir + "type", "kafka"}, {dir + "provider", "mooring"}}
	if servers, ok := c.Get(propBootstrap); ok {
		files = append(files, File{dir + "bootstrap-servers", servers}, File{dir + "bootstrapServers", servers})
	}
	if protocol, ok := c.Get(propSecurityProtocol); ok {
		files = append(files, File{dir + "securityProtocol", protocol})
	}
	notes := []string{"Service Binding hands over addresses, not producer policy: use it beside another format"}
	if c.Security.Mechanism != "" {
		files = append(files, File{dir + "saslMechanism", c.Security.Mechanism})
		notes = append(notes, "user and password are not in these files: mount the Secret as a binding of its own, or use the shim")
	}
	return Rendering{
		Files: files,
		Env:   []EnvVar{{Name: "SERVICE_BINDING_ROOT", Value: DirFiles + "/bindings", IfUnset: true}},
		Notes: notes,
	}
}

// aspireNames are the names of Confluent.Kafka for .NET that are not the property's in Pascal case.
var aspireNames = map[string]string{
	"max.in.flight.requests.per.connection": "MaxInFlight", "retries": "MessageSendMaxRetries", "delivery.timeout.ms": "MessageTimeoutMs",
}

// aspireWords are the names of enumerations' values.
var aspireWords = map[string]string{
	"all": "All", "-1": "All", "1": "Leader", "0": "None",
	"none": "None", "gzip": "Gzip", "snappy": "Snappy", "lz4": "Lz4", "zstd": "Zstd",
	"murmur2_random": "Murmur2Random", "random": "Random",
	"PLAINTEXT": "Plaintext", "SSL": "Ssl", "SASL_PLAINTEXT": "SaslPlaintext", "SASL_SSL": "SaslSsl",
	"PLAIN": "Plain", "SCRAM-SHA-256": "ScramSha256", "SCRAM-SHA-512": "ScramSha512", "OAUTHBEARER": "OAuthBearer",
	"use_all_dns_ips": "UseAllDnsIps", "resolve_canonical_bootstrap_servers_only": "ResolveCanonicalBootstrapServersOnly",
	"rebootstrap": "Rebootstrap",
}

func renderAspire(c Config) Rendering {
	w := librdkafkaSettings(c)
	prefix := "Aspire__Confluent__Kafka__Producer__Config__"
	var env []EnvVar
	for _, key := range secretKeys(c.Security) {
		if key == "username" || key == "password" {
			env = append(env, EnvVar{Name: prefix + "Sasl" + pascal(key), SecretKey: key})
		}
	}
	for _, name := range slices.Sorted(keysOf(w.values)) {
		key, value := aspireNames[name], w.values[name]
		if key == "" {
			key = pascal(name)
		}
		isEnum := name == propAcks || librdkafkaByName[name].kind == rdEnum || name == "partitioner" || name == propSASLMechanism
		if word := aspireWords[value]; isEnum && word != "" {
			value = word
		}
		env = append(env, EnvVar{Name: prefix + key, Value: value})
	}
	return Rendering{Env: env, Notes: w.notes}
}

// pascal turns enable.idempotence into EnableIdempotence.
func pascal(s string) string {
	var b strings.Builder
	for _, word := range strings.FieldsFunc(s, func(r rune) bool { return r == '.' || r == '-' || r == '_' }) {
		b.WriteString(strings.ToUpper(word[:1]) + word[1:])
	}
	return b.String()
}
