package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// httpClients write over HTTP, in the three dialects; those with a key repeat a request until it is answered, with the same
// Idempotency-Key, and the others take what is not answered for failed.
var httpClients = []string{"raw", "v2", "v3", "raw-key", "v2-key", "v3-key"}

func init() {
	for _, name := range httpClients {
		dialect, _, keyed := strings.Cut(name, "-")
		goClients[name] = func(w *worker) error { return w.overHTTP(dialect, keyed) }
	}
}

// httpWorker is a worker that writes over HTTP.
type httpWorker struct {
	*worker
	url, dialect string
	keyed        bool
	client       *http.Client
	cluster      string // its ID, in the paths of v3
}

// perRequest is how many records a request of v2 and v3 has.
const perRequest = 10

// cutEvery so many requests the client closes its connection before it has an answer, as a client does that loses patience.
const cutEvery = 25

func (w *worker) overHTTP(dialect string, keyed bool) error {
	h := &httpWorker{worker: w, url: w.bootstrap[0], dialect: dialect, keyed: keyed, client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: w.partitions}}}
	if dialect == "v3" {
		if err := h.findCluster(); err != nil {
			return err
		}
	}
	var all sync.WaitGroup
	errs := make([]error, w.partitions)
	for p := range w.partitions {
		all.Go(func() { errs[p] = h.partition(p) })
	}
	all.Wait()
	return errors.Join(errs...)
}

// findCluster as clients of v3 do.
func (h *httpWorker) findCluster() error {
	resp, err := h.client.Get(h.url + "/v3/clusters")
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	var clusters struct {
		Data []struct {
			ID string `json:"cluster_id"`
		} `json:"data"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&clusters); err != nil || len(clusters.Data) != 1 {
		return fmt.Errorf("GET /v3/clusters: %s, %d clusters: %w", resp.Status, len(clusters.Data), err)
	}
	h.cluster = clusters.Data[0].ID
	return nil
}

// partition is written one request after the other: so order can be asked for.
func (h *httpWorker) partition(p int) error {
	r := rand.New(rand.NewPCG(uint64(p), 11))
	each := perRequest
	if h.dialect == "raw" {
		each = 1
	}
	pause := time.Duration(float64(each*h.partitions) / h.rate * 1e9)
	for n := 0; ; n++ {
		begin := time.Now()
		numbers, values := make([]int, each), make([][]byte, each)
		for i := range numbers {
			numbers[i], values[i] = h.value(p)
		}
		if err := h.deliver(r, p, fmt.Sprintf("%s-%d-%d", h.me, p, n), numbers, values); err != nil {
			return err
		}
		select {
		case <-h.over:
			return nil
		case <-time.After(max(0, pause-time.Since(begin))):
		}
	}
}

// deliver the records of one request, and enter what became of each. With a key it is repeated until all are acknowledged.
func (h *httpWorker) deliver(r *rand.Rand, p int, key string, numbers []int, values [][]byte) error {
	body, err := h.body(p, values)
	if err != nil {
		return err
	}
	first, repeats := time.Now(), false
	for backoff := 20 * time.Millisecond; ; backoff = min(2*backoff, time.Second) {
		outcomes, err := h.post(r, p, key, body, len(values))
		if wrong := (refused{}); errors.As(err, &wrong) {
			return err
		}
		if err != nil {
			outcomes = slices.Repeat([]error{err}, len(values))
		}
		failed := errors.Join(outcomes...) != nil
		if !failed || !h.keyed {
			for i, number := range numbers {
				if repeats {
					h.repeated(p, number, first)
				}
				h.told(p, number, outcomes[i])
			}
		}
		if failed {
			<-time.After(backoff) // what is away is not asked in a tight loop
		}
		if !failed || !h.keyed {
			return nil
		}
		repeats = true
	}
}

func (h *httpWorker) body(p int, values [][]byte) ([]byte, error) {
	key := fmt.Sprintf("%s-%d", h.me, p)
	if h.dialect == "raw" {
		return values[0], nil
	}
	type data struct {
		Type string `json:"type"`
		Data string `json:"data"`
	}
	var out bytes.Buffer
	var all []any
	for _, v := range values {
		value := base64.StdEncoding.EncodeToString(v)
		if h.dialect == "v2" {
			all = append(all, map[string]any{"key": base64.StdEncoding.EncodeToString([]byte(key)), "value": value, "partition": p})
			continue
		}
		if err := json.NewEncoder(&out).Encode(map[string]any{"partition_id": p, "key": data{"STRING", key}, "value": data{"BINARY", value}}); err != nil {
			return nil, err
		}
	}
	if h.dialect == "v2" {
		return json.Marshal(map[string]any{"records": all})
	}
	return out.Bytes(), nil
}

// refused is an answer that no repeat will change: a defect of this program or of the shim.
type refused struct{ said string }

func (r refused) Error() string { return r.said }

// post a request. An error says that there is no answer, or one about the whole request; otherwise each record has an outcome.
func (h *httpWorker) post(r *rand.Rand, p int, key string, body []byte, n int) ([]error, error) {
	ctx := context.Background()
	if r.IntN(cutEvery) == 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, time.Duration(r.IntN(4000))*time.Microsecond)
		defer cancel()
	}
	path, kind := "/v1/topics/"+h.topic+"/records", "application/octet-stream"
	switch h.dialect {
	case "v2":
		path, kind = "/topics/"+h.topic, "application/vnd.kafka.binary.v2+json"
	case "v3":
		path, kind = "/v3/clusters/"+h.cluster+"/topics/"+h.topic+"/records", "application/json"
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, h.url+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.GetBody = nil // the transport would send it again by itself, behind the ledger's back
	req.Header.Set("Content-Type", kind)
	if h.dialect == "raw" {
		req.Header.Set("Kafka-Partition", strconv.Itoa(p))
		req.Header.Set("Kafka-Key", fmt.Sprintf("%s-%d", h.me, p))
	}
	if h.keyed {
		req.Header.Set("Idempotency-Key", key)
	}
	resp, err := h.client.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	return outcomesOf(h.dialect, resp.StatusCode, answer, n)
}

// outcomesOf an answer: nil is acknowledged.
func outcomesOf(dialect string, status int, answer []byte, n int) ([]error, error) {
	said := fmt.Sprintf("%d: %.300s", status, answer)
	switch {
	case status == http.StatusTooManyRequests || status >= 500:
		return nil, errors.New(said)
	case status != http.StatusOK:
		return nil, refused{said}
	}
	switch dialect {
	case "v2":
		return v2Outcomes(answer, n, said)
	case "v3":
		return v3Outcomes(answer, n, said)
	}
	return make([]error, n), nil
}

func v2Outcomes(answer []byte, n int, said string) ([]error, error) {
	var v2 struct {
		Offsets []struct {
			Code  int    `json:"error_code"`
			Error string `json:"error"`
		} `json:"offsets"`
	}
	if err := json.Unmarshal(answer, &v2); err != nil || len(v2.Offsets) != n {
		return nil, refused{"not an answer of v2: " + said}
	}
	out := make([]error, n)
	for i, o := range v2.Offsets {
		if o.Code != 0 {
			out[i] = fmt.Errorf("%d %s", o.Code, o.Error)
		}
	}
	return out, nil
}

// v3Outcomes are one object for each record. Where there are fewer, the connection or the shim ended before the rest.
func v3Outcomes(answer []byte, n int, said string) ([]error, error) {
	out := make([]error, 0, n)
	for d := json.NewDecoder(bytes.NewReader(answer)); len(out) < n; {
		var one struct {
			Code    int    `json:"error_code"`
			Message string `json:"message"`
		}
		if err := d.Decode(&one); err != nil {
			break
		}
		var err error
		if one.Code != http.StatusOK {
			err = fmt.Errorf("%d %s", one.Code, one.Message)
		}
		out = append(out, err)
	}
	for len(out) < n {
		out = append(out, errors.New("no result: "+said))
	}
	return out, nil
}
