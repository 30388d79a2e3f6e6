package franz

import (
	"context"

	"github.com/twmb/franz-go/pkg/sasl/oauth"
	"golang.org/x/oauth2/clientcredentials"

	"mooring.dev/mooring/api/v1alpha1"
	"mooring.dev/mooring/internal/kafka"
)

// tokenSource fetches OAUTHBEARER tokens with the client credentials grant (RFC 6749, section 4.4), and keeps one until
// it is about to expire.
type tokenSource struct{ config clientcredentials.Config }

func newTokenSource(values map[string]string) tokenSource {
	config := clientcredentials.Config{
		ClientID:     values[v1alpha1.SecretKeyClientID],
		ClientSecret: values[v1alpha1.SecretKeyClientSecret],
		TokenURL:     values[v1alpha1.SecretKeyTokenURL],
	}
	if scope := values[v1alpha1.SecretKeyScope]; scope != "" {
		config.Scopes = []string{scope}
	}
	return tokenSource{config}
}

func (s tokenSource) token(ctx context.Context) (oauth.Auth, error) {
	token, err := s.config.Token(ctx)
	if err != nil {
		return oauth.Auth{}, kafka.NewError(kafka.ClassUnauthenticated, "OAUTHBEARER token from %s: %v", s.config.TokenURL, err)
	}
	return oauth.Auth{Token: token.AccessToken}, nil
}
