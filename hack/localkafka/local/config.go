package local

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"time"
)

// Config says which cluster [Up] brings up. The zero value is three brokers in three racks without an authorizer.
type Config struct {
	// Dir holds the cluster: state.json, certificates, and a folder for each node. It must be empty, missing, or an
	// earlier cluster's. Default: the folder "kafka/clusters/default" in the cache directory (see [CacheDir]).
	Dir string
	// Progress receives one line for each step and a heartbeat at least every 10 seconds of a long one. It is never
	// called by two goroutines at once. Default: nil, which is silent.
	Progress func(string)
	// Timeout bounds the wait for started brokers to answer (not the fetching of jars). Default: 3 minutes.
	Timeout time.Duration
	// EmbeddedCommand, when not empty, brings up kfake instead of Apache Kafka: this command is started in the
	// background with "--dir DIR" after it, and must call [ServeEmbedded]. Java is then not needed.
	// Most of [Settings] means nothing there, and is refused.
	EmbeddedCommand []string
	// Settings are what a cluster is asked to be. They are kept in state.json: a second Up with other settings on a
	// running cluster is an error.
	Settings
}

// Settings is the part of [Config] that shapes the brokers.
type Settings struct {
	// Brokers is how many nodes there are, with ids from 1. Default: 3. The first three are controllers too (with
	// fewer than three nodes, the first one only).
	Brokers int `json:"brokers"`
	// Address is the IPv4 address of this machine that the brokers listen on and are known by. Leave it, unless clients
	// are elsewhere, such as in the pods of localkube's node: whoever reaches the address is a super user.
	// Default: 127.0.0.1.
	Address string `json:"address"`
	// Racks are given to the nodes in turn. Default: rack-a, rack-b, rack-c.
	Racks []string `json:"racks"`
	// Authorizer turns Kafka's StandardAuthorizer on, with nobody allowed anything without an ACL but the super users:
	// ANONYMOUS (the plaintext and TLS listeners), the admin user and the admin certificate. Default: off, everyone
	// may do everything.
	Authorizer bool `json:"authorizer"`
	// DisableTopicDeletion sets delete.topic.enable=false. Default: false, topics can be deleted.
	DisableTopicDeletion bool `json:"disableTopicDeletion"`
	// Properties are written last into every node's server.properties, so they win over all of localkafka's own.
	Properties map[string]string `json:"properties,omitempty"`
	// Heap is the JVM's -Xmx for each broker. Default: 512m.
	Heap string `json:"heap"`
	// FastJVM stops the JIT at C1 (-XX:TieredStopAtLevel=1): brokers start faster and run slower.
	// Leave it off for measurements. Default: off.
	FastJVM bool `json:"fastJVM"`
	// JVMOptions are added to every broker's command line, after localkafka's own.
	JVMOptions []string `json:"jvmOptions,omitempty"`
	// Embedded says that the cluster is kfake. Up sets it from Config.EmbeddedCommand.
	Embedded bool `json:"embedded"`
}

// DefaultAddress is reached from this machine alone.
const DefaultAddress = "127.0.0.1"

// CacheDir is where jars and, by default, clusters are kept: $MOORING_CACHE, or "mooring" in the user's cache directory.
func CacheDir() (string, error) {
	if dir := os.Getenv("MOORING_CACHE"); dir != "" {
		return filepath.Abs(dir)
	}
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("there is no cache directory for this user; set MOORING_CACHE to a folder that may be written: %w", err)
	}
	return filepath.Join(dir, "mooring"), nil
}

// DefaultDir is the folder of the cluster of those who name none.
func DefaultDir() (string, error) {
	cache, err := CacheDir()
	if err != nil {
		return "", err
	}
	return filepath.Join(cache, "kafka", "clusters", "default"), nil
}

// fromConfig fills in the defaults and refuses what can't work.
func fromConfig(cfg Config) (Config, error) {
	var err error
	if cfg.Dir == "" {
		if cfg.Dir, err = DefaultDir(); err != nil {
			return cfg, err
		}
	}
	if cfg.Dir, err = filepath.Abs(cfg.Dir); err != nil {
		return cfg, fmt.Errorf("the cluster folder %q can't be made absolute; name it from the root: %w", cfg.Dir, err)
	}
	if cfg.Timeout == 0 {
		cfg.Timeout = 3 * time.Minute
	}
	cfg.Embedded = len(cfg.EmbeddedCommand) > 0
	// Cloned, because a handle keeps them; empty becomes nil, as it comes back from state.json to be compared.
	if cfg.Properties = maps.Clone(cfg.Properties); len(cfg.Properties) == 0 {
		cfg.Properties = nil
	}
	cfg.JVMOptions = append([]string(nil), cfg.JVMOptions...)
	cfg.Racks = append([]string(nil), cfg.Racks...)
	if cfg.Brokers == 0 {
		cfg.Brokers = 3
	}
	if cfg.Address == "" {
		cfg.Address = DefaultAddress
	}
	if err := validateEmbedded(cfg.Settings); err != nil {
		return cfg, err
	}
	if len(cfg.Racks) == 0 {
		cfg.Racks = []string{"rack-a", "rack-b", "rack-c"}
		if cfg.Embedded {
			cfg.Racks = []string{kfakeRack}
		}
	}
	if cfg.Heap == "" {
		cfg.Heap = "512m"
	}
	return cfg, validate(cfg.Settings)
}

var (
	heapPattern     = regexp.MustCompile(`^[1-9][0-9]*[kKmMgG]$`)
	propertyPattern = regexp.MustCompile(`^[A-Za-z0-9._-]+$`)
)

func validate(s Settings) error {
	if s.Brokers < 1 || s.Brokers > 20 {
		return fmt.Errorf("%d brokers were asked for; ask for 1 to 20 (each takes about 400 MB of memory)", s.Brokers)
	}
	if address, err := netip.ParseAddr(s.Address); err != nil || !address.Is4() || address.IsUnspecified() {
		return fmt.Errorf("the address %q is no IPv4 address that brokers can be known by; give one of this machine's", s.Address)
	}
	if !heapPattern.MatchString(s.Heap) {
		return fmt.Errorf("the heap %q is no size that Java knows; write it like 512m or 1g", s.Heap)
	}
	for _, key := range slices.Sorted(maps.Keys(s.Properties)) {
		if !propertyPattern.MatchString(key) {
			return fmt.Errorf("the property name %q is none that Kafka knows; write --property name=value", key)
		}
		if slices.Contains(structuralProperties, key) {
			return fmt.Errorf("the property %s holds the cluster together and can't be overridden; leave it out", key)
		}
	}
	return nil
}

// validateEmbedded refuses what kfake has no notion of, rather than to ignore it silently.
func validateEmbedded(s Settings) error {
	if !s.Embedded {
		return nil
	}
	const mend = "; leave it out, or run Apache Kafka (without --embedded)"
	switch {
	case s.Authorizer:
		return fmt.Errorf("the embedded broker runs without an authorizer here%s", mend)
	case len(s.Racks) > 0:
		return fmt.Errorf("the embedded broker puts every node in one rack, %q%s", kfakeRack, mend)
	case len(s.Properties) > 0:
		return fmt.Errorf("the embedded broker reads no server.properties%s", mend)
	case s.DisableTopicDeletion:
		return fmt.Errorf("the embedded broker can't refuse to delete topics%s", mend)
	case s.Heap != "" || s.FastJVM || len(s.JVMOptions) > 0:
		return fmt.Errorf("the embedded broker is no JVM and takes no JVM options%s", mend)
	}
	return nil
}

// lockFile is outside of the cluster's folder, because the folder goes away with the cluster: a lock on a removed file
// is a lock on nothing, and two processes could then both believe that they hold it.
func lockFile(dir string) (string, error) {
	cache, err := CacheDir()
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256([]byte(dir))
	return filepath.Join(cache, "locks", "kafka-"+hex.EncodeToString(sum[:8])+".lock"), nil
}
