package contract

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// Encode writes a contract: compact JSON, the same bytes for the same contract. It refuses a contract that Decode would
// refuse, so that a mistake shows where it was made and not in the pod.
func Encode(c Contract) ([]byte, error) {
	c.Version = Version
	if err := c.Validate(); err != nil {
		return nil, err
	}
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false) // nobody puts it into HTML, and escaped it is harder to read in a pod's YAML
	if err := e.Encode(c); err != nil {
		return nil, fmt.Errorf("contract: %w", err)
	}
	data := bytes.TrimSuffix(out.Bytes(), []byte("\n"))
	if len(data) > MaxSize {
		return nil, tooLarge(len(data))
	}
	return data, nil
}

// Decode reads a contract. Unknown fields are ignored: a newer minor version added them. Another major version is an
// error, and so is what cannot be enforced; the error says what to do.
func Decode(data []byte) (Contract, error) {
	if len(data) > MaxSize {
		return Contract{}, tooLarge(len(data))
	}
	// The version is read by itself first: in another major version the other fields may mean, or be, something else.
	var head struct {
		Version string `json:"version"`
	}
	if err := unmarshal(data, &head); err != nil {
		return Contract{}, err
	}
	if err := checkVersion(head.Version); err != nil {
		return Contract{}, err
	}
	var c Contract
	if err := unmarshal(data, &c); err != nil {
		return Contract{}, err
	}
	if err := c.Validate(); err != nil {
		return Contract{}, err
	}
	return c, nil
}

func tooLarge(size int) error {
	return fmt.Errorf("contract: %d bytes are more than the %d that a contract may have; shorten topics.names (prefixes say more with less) or the CA bundle", size, MaxSize)
}

// unmarshal takes exactly one JSON object: bytes after it mean that the file was not written by Encode.
func unmarshal(data []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(data))
	if err := d.Decode(into); err != nil {
		return fmt.Errorf("contract: this is not the JSON of a contract: %w", err)
	}
	if _, err := d.Token(); err != io.EOF {
		return fmt.Errorf("contract: there is more after the JSON object, at byte %d; a contract is one object", d.InputOffset())
	}
	return nil
}

func checkVersion(version string) error {
	major, minor, dotted := strings.Cut(version, ".")
	m, errMajor := strconv.ParseUint(major, 10, 16)
	_, errMinor := strconv.ParseUint(minor, 10, 16)
	switch {
	case version == "":
		return fmt.Errorf("contract: version is missing; this reads version %s", Version)
	case !dotted || errMajor != nil || errMinor != nil:
		return fmt.Errorf("contract: version %.20q is not major.minor; this reads version %s", version, Version)
	case m > 1:
		return fmt.Errorf("contract: version %s is newer than this shim, which reads 1.x; use the mooring image that wrote the contract", version)
	case m < 1:
		return fmt.Errorf("contract: version %s is older than any that was released; have the operator write the contract again", version)
	}
	return nil
}
