package franz

import "context"

// TokenSource lets tests ask for tokens as a connection would.
func TokenSource(values map[string]string) func(context.Context) (string, error) {
	s := newTokenSource(values)
	return func(ctx context.Context) (string, error) {
		auth, err := s.token(ctx)
		return auth.Token, err
	}
}
