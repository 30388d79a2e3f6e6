package kafka

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"time"
)

// Settings are all that a client needs to reach one cluster.
type Settings struct {
	BootstrapServers []string
	// TLS is nil for plaintext.
	TLS *TLS
	// SASL is nil for none.
	SASL *SASL
	// Interval between two looks at the cluster.
	Interval time.Duration
	// ExpectedClusterID, when not empty, is the only cluster that may answer.
	ExpectedClusterID string
}

// TLS holds PEM texts. CA is empty for the system's authorities; Certificate and Key are empty without mutual TLS.
type TLS struct {
	CA, Certificate, Key []byte
	ServerName           string
}

// SASL holds the credentials for one mechanism; which fields count depends on it.
type SASL struct {
	Mechanism string
	// Values of the Secret, by the key names in the API.
	Values map[string]string
}

// ConnectionHash tells two settings apart that need two clients. The expected cluster ID and the interval are not part
// of it: they change without a new connection.
func (s Settings) ConnectionHash() string {
	s.Interval, s.ExpectedClusterID = 0, ""
	text, err := json.Marshal(s)
	if err != nil {
		panic(err) // strings and byte slices always marshal
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}
