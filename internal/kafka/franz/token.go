package franz

import (
	"context"
	"net/http"
	"time"

	"github.com/twmb/franz-go/pkg/sasl/oauth"
	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"

	"mooring.dev/mooring/api/v1alpha1"
	"mooring.dev/mooring/internal/kafka"
)

// tokenSource fetches OAUTHBEARER tokens with the client credentials grant (RFC 6749, section 4.4), and keeps one until
// it is about to expire.
type tokenSource struct {
	url    string
	source oauth2.TokenSource
}

// tokenTimeout bounds one request for a token.
const tokenTimeout = 10 * time.Second

func newTokenSource(values map[string]string) tokenSource {
	config := clientcredentials.Config{
		ClientID:     values[v1alpha1.SecretKeyClientID],
		ClientSecret: values[v1alpha1.SecretKeyClientSecret],
		TokenURL:     values[v1alpha1.SecretKeyTokenURL],
	}
	if scope := values[v1alpha1.SecretKeyScope]; scope != "" {
		config.Scopes = []string{scope}
	}
	// The source outlives the connection that asks first, so it has a context of its own. (config.Token would ask anew for
	// every connection to every broker.)
	ctx := context.WithValue(context.Background(), oauth2.HTTPClient, &http.Client{Timeout: tokenTimeout})
	return tokenSource{url: config.TokenURL, source: config.TokenSource(ctx)}
}

func (s tokenSource) token(context.Context) (oauth.Auth, error) {
	token, err := s.source.Token()
	if err != nil {
		return oauth.Auth{}, kafka.NewError(kafka.ClassUnauthenticated, "OAUTHBEARER token from %s: %v", s.url, err)
	}
	return oauth.Auth{Token: token.AccessToken}, nil
}
