package gateway

import (
	"fmt"
	"strings"

	"mooring.dev/mooring/internal/contract"
)

// Variables that say what a transactional.id's placeholders stand for, where admission could not know it. Admission sets them.
const (
	envPodName    = "MOORING_POD_NAME"
	envPodOrdinal = "MOORING_POD_ORDINAL"
)

// FillTransactionalID puts the pod's name and ordinal, from its environment, into the contract's transactional.id. An ID with a
// placeholder in it would be that of every pod, and each would fence the others.
func FillTransactionalID(c contract.Contract, getenv func(string) string) (contract.Contract, error) {
	if c.Transactions == nil {
		return c, nil
	}
	t := *c.Transactions
	for placeholder, name := range map[string]string{"{pod}": envPodName, "{ordinal}": envPodOrdinal} {
		if !strings.Contains(t.ID, placeholder) {
			continue
		}
		value := getenv(name)
		if value == "" {
			return c, fmt.Errorf("transactions.id is %q, and the variable %s, which says what %s is, is not set", t.ID, name, placeholder)
		}
		t.ID = strings.ReplaceAll(t.ID, placeholder, value)
	}
	c.Transactions = &t
	return c, nil
}
