package upstream

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
)

// grant is what an OAuth server gives a token for (client credentials, RFC 6749 section 4.4).
type grant struct{ url, id, secret, scope string }

// tokens keeps the last token until it is about to expire, so that a connection is not a request to the OAuth server.
var tokens tokenCache

type tokenCache struct {
	mu    sync.Mutex
	grant grant
	value string
	until time.Time
}

// tokenMargin is how long before its end a token is not used for a new connection any more.
const tokenMargin = 30 * time.Second

func (c *tokenCache) token(ctx context.Context, g grant) (string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.grant == g && time.Now().Before(c.until) {
		return c.value, nil
	}
	value, life, err := fetch(ctx, g)
	if err != nil {
		return "", fmt.Errorf("OAUTHBEARER token from %s: %w", g.url, err)
	}
	c.grant, c.value, c.until = g, value, time.Now().Add(life-tokenMargin)
	return value, nil
}

func fetch(ctx context.Context, g grant) (string, time.Duration, error) {
	form := url.Values{"grant_type": {"client_credentials"}}
	if g.scope != "" {
		form.Set("scope", g.scope)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, g.url, strings.NewReader(form.Encode()))
	if err != nil {
		return "", 0, err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.SetBasicAuth(url.QueryEscape(g.id), url.QueryEscape(g.secret))
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", 0, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil {
		return "", 0, err
	}
	if resp.StatusCode != http.StatusOK {
		return "", 0, fmt.Errorf("%s: %.200s", resp.Status, body)
	}
	var answer struct {
		Token   string `json:"access_token"`
		Expires int64  `json:"expires_in"`
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		return "", 0, fmt.Errorf("the answer is no JSON: %w", err)
	}
	if answer.Token == "" {
		return "", 0, errors.New("the answer holds no access_token")
	}
	return answer.Token, time.Duration(answer.Expires) * time.Second, nil
}
