package local

import (
	"encoding/base64"
	"encoding/json"
	"time"
)

// UnsecuredToken is a JSON Web Token without a signature for OAUTHBEARER, as Kafka's unsecured validator takes it: the
// bearer is User:subject from now on for the given lifetime. Anyone can make one, so it is for tests only.
func UnsecuredToken(subject string, now time.Time, lifetime time.Duration) string {
	claims, _ := json.Marshal(map[string]any{ // strings and integers always marshal
		"sub": subject,
		"iat": now.Unix(),
		"exp": now.Add(lifetime).Unix(),
	})
	enc := base64.RawURLEncoding
	return enc.EncodeToString([]byte(`{"alg":"none"}`)) + "." + enc.EncodeToString(claims) + "."
}
