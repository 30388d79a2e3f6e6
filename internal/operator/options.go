// Package operator is the composition root: options in, a running manager out.
package operator

import (
	"fmt"
	"log/slog"
	"os"
	"strings"
	"time"

	"mooring.dev/mooring/webhook"
)

// Options of the operator. Each is a flag of cmd/mooring and an environment variable.
type Options struct {
	// Namespace that the operator runs in: Secrets are read there, and the leader's Lease lives there.
	Namespace string
	// MetricsAddress serves /metrics; "0" turns it off.
	MetricsAddress string
	// PprofAddress serves net/http/pprof, without a login; "0" turns it off.
	PprofAddress string
	// ProbeAddress serves /healthz and /readyz.
	ProbeAddress string
	// WebhookAddress serves the admission webhooks; "0" turns them off.
	WebhookAddress string
	// WebhookCertDir holds tls.crt and tls.key of the webhooks; empty makes and renews a certificate.
	WebhookCertDir string
	// ShimImage is the image of the producer shim in pods; it holds the operator too.
	ShimImage string
	// LeaderElect lets one of several replicas work.
	LeaderElect bool
	// TopicWorkers is how many KafkaTopics are reconciled at once.
	TopicWorkers int
	// OutageGrace is how long a Kafka cluster may be away before the topics on it say so.
	OutageGrace time.Duration
	// LogLevel is debug, info, warn or error; LogFormat is json or text.
	LogLevel, LogFormat string
	// Again lets a process start a second operator after the first: tests of a restart do. No flag sets it.
	Again bool
}

// Validate says what is wrong, in a sentence with the flag's name.
func (o Options) Validate() error {
	switch {
	case o.Namespace == "":
		return fmt.Errorf("--namespace (or MOORING_NAMESPACE) is empty: name the namespace that the operator runs in")
	case o.TopicWorkers < 1:
		return fmt.Errorf("--topic-workers is %d: it must be at least 1", o.TopicWorkers)
	case o.OutageGrace <= 0:
		return fmt.Errorf("--outage-grace is %s: it must be above 0", o.OutageGrace)
	case o.LogFormat != "json" && o.LogFormat != "text":
		return fmt.Errorf("--log-format is %q: it must be json or text", o.LogFormat)
	}
	if err := o.webhooks().Validate(); err != nil {
		return err
	}
	_, err := parseLevel(o.LogLevel)
	return err
}

func (o Options) webhooks() webhook.Options {
	return webhook.Options{Address: o.WebhookAddress, CertDir: o.WebhookCertDir, Namespace: o.Namespace, ShimImage: o.ShimImage}
}

func parseLevel(text string) (slog.Level, error) {
	var level slog.Level
	if err := level.UnmarshalText([]byte(strings.ToUpper(text))); err != nil {
		return 0, fmt.Errorf("--log-level is %q: it must be debug, info, warn or error", text)
	}
	return level, nil
}

// Logger is the structured logger that the options ask for, on standard error.
func (o Options) Logger() *slog.Logger {
	level, err := parseLevel(o.LogLevel)
	if err != nil {
		level = slog.LevelInfo
	}
	options := &slog.HandlerOptions{Level: level}
	if o.LogFormat == "text" {
		return slog.New(slog.NewTextHandler(os.Stderr, options))
	}
	return slog.New(slog.NewJSONHandler(os.Stderr, options))
}
