package producer

import (
	"maps"
	"path"
	"slices"
	"strings"

	"mooring.dev/mooring/api/v1alpha1"
)

// javaSettings are the properties of the Java client. Secrets are read from mounted files by a config provider of the
// client itself (KIP-421), so that none is in the text.
func javaSettings(c Config) *writer {
	w := newWriter("the Java client")
	maps.Copy(w.values, c.Properties())
	s := c.Security
	if s.CAFile != "" {
		w.set("ssl.truststore.type", "PEM")
		w.set("ssl.truststore.location", s.CAFile)
	}
	if s.ServerName != "" {
		w.note("the Java client cannot verify another name (%s) than the host that it dials: the brokers' certificates must name their hosts", s.ServerName)
	}
	if s.CertificateFile != "" {
		w.set("ssl.keystore.type", "PEM")
		w.set("ssl.keystore.certificate.chain", fromFile(s.CertificateFile))
		w.set("ssl.keystore.key", fromFile(s.KeyFile))
		w.note("the Java client takes the private key as PKCS #8 (BEGIN PRIVATE KEY)")
	}
	if jaas := javaJAAS(s, func(key string) string { return fromFile(s.CredentialsDir + "/" + key) }); jaas != "" {
		w.set("sasl.jaas.config", jaas)
	}
	for name, text := range javaSASLExtras(s, func(key string) string { return fromFile(s.CredentialsDir + "/" + key) }) {
		w.set(name, text)
	}
	javaSASLNotes(s, w)
	if s.CertificateFile != "" || s.Mechanism != "" {
		w.set("config.providers", "directory")
		w.set("config.providers.directory.class", "org.apache.kafka.common.config.provider.DirectoryConfigProvider")
	}
	return w
}

// fromFile is a reference that the client's DirectoryConfigProvider replaces with the content of a file.
func fromFile(name string) string {
	dir, file := path.Split(name)
	return "${directory:" + strings.TrimSuffix(dir, "/") + ":" + file + "}"
}

// javaJAAS is sasl.jaas.config; secret gives what stands for a key of the credentials.
func javaJAAS(s Security, secret func(key string) string) string {
	login := func(module string, options ...string) string {
		return "org.apache.kafka.common.security." + module + " required " + strings.Join(options, " ") + ";"
	}
	user, password := `username="`+secret(v1alpha1.SecretKeyUsername)+`"`, `password="`+secret(v1alpha1.SecretKeyPassword)+`"`
	switch v1alpha1.SASLMechanism(s.Mechanism) {
	case v1alpha1.SASLPlain:
		return login("plain.PlainLoginModule", user, password)
	case v1alpha1.SASLScramSHA256, v1alpha1.SASLScramSHA512:
		return login("scram.ScramLoginModule", user, password)
	case v1alpha1.SASLOAuthBearer:
		return login("oauthbearer.OAuthBearerLoginModule",
			`clientId="`+secret(v1alpha1.SecretKeyClientID)+`"`, `clientSecret="`+secret(v1alpha1.SecretKeyClientSecret)+`"`)
	case v1alpha1.SASLAWSMSKIAM:
		return "software.amazon.msk.auth.iam.IAMLoginModule required;"
	}
	return ""
}

// javaSASLExtras are further properties that a mechanism needs.
func javaSASLExtras(s Security, secret func(key string) string) map[string]string {
	switch v1alpha1.SASLMechanism(s.Mechanism) {
	case v1alpha1.SASLOAuthBearer:
		return map[string]string{
			"sasl.login.callback.handler.class":   "org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginCallbackHandler",
			"sasl.oauthbearer.token.endpoint.url": secret(v1alpha1.SecretKeyTokenURL),
		}
	case v1alpha1.SASLAWSMSKIAM:
		return map[string]string{"sasl.client.callback.handler.class": "software.amazon.msk.auth.iam.IAMClientCallbackHandler"}
	}
	return nil
}

func javaSASLNotes(s Security, w *writer) {
	switch v1alpha1.SASLMechanism(s.Mechanism) {
	case v1alpha1.SASLOAuthBearer:
		w.note("from Kafka 4.0 on the JVM must be told the token endpoint too: -Dorg.apache.kafka.sasl.oauthbearer.allowed.urls=<the endpoint>")
	case v1alpha1.SASLAWSMSKIAM:
		w.note("AWS_MSK_IAM needs the library aws-msk-iam-auth on the class path; it finds its own credentials")
	}
}

func renderJava(c Config) Rendering {
	w := javaSettings(c)
	return Rendering{Files: []File{{"producer.properties", propertiesFile(w.values)}}, Notes: w.notes}
}

// javaEnv are the properties of the Java client as environment variables. References to secrets are $(NAME), which the
// kubelet fills in from variables further up.
func javaEnv(c Config, name func(property string) string) ([]EnvVar, []string) {
	w := newWriter("the Java client")
	maps.Copy(w.values, c.Properties())
	s := c.Security
	secrets := secretEnv(s)
	if s.CAFile != "" {
		w.set("ssl.truststore.type", "PEM")
		w.set("ssl.truststore.location", s.CAFile)
	}
	if s.CertificateFile != "" {
		w.note("a client certificate cannot be handed to this client by environment: use producer.properties, or the shim")
	}
	reference := func(key string) string { return "$(" + secretEnvName(key) + ")" }
	if jaas := javaJAAS(s, reference); jaas != "" {
		w.set("sasl.jaas.config", jaas)
	}
	for property, text := range javaSASLExtras(s, reference) {
		w.set(property, text)
	}
	javaSASLNotes(s, w)
	env := secrets
	for _, property := range slices.Sorted(keysOf(w.values)) {
		env = append(env, EnvVar{Name: name(property), Value: w.values[property]})
	}
	return env, w.notes
}

// secretKeys are the keys of the Secret that a mechanism needs.
func secretKeys(s Security) []string {
	switch v1alpha1.SASLMechanism(s.Mechanism) {
	case v1alpha1.SASLPlain, v1alpha1.SASLScramSHA256, v1alpha1.SASLScramSHA512:
		return []string{v1alpha1.SecretKeyUsername, v1alpha1.SecretKeyPassword}
	case v1alpha1.SASLOAuthBearer:
		return []string{v1alpha1.SecretKeyClientID, v1alpha1.SecretKeyClientSecret, v1alpha1.SecretKeyTokenURL}
	}
	return nil
}

// secretEnvName is the variable that holds a key of the credentials: KAFKA_SASL_USERNAME, KAFKA_SASL_CLIENT_ID.
func secretEnvName(key string) string { return "KAFKA_SASL_" + upper(kebab(key)) }

func secretEnv(s Security) []EnvVar {
	var env []EnvVar
	for _, key := range secretKeys(s) {
		env = append(env, EnvVar{Name: secretEnvName(key), SecretKey: key})
	}
	return env
}
