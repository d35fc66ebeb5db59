package gateway

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
)

// proofPath is where the gateway proves over HTTP which one it is; see Identity.Ask.
const proofPath = "/tapwatch/proof"

// maxChallenge bounds the challenge that a proof is asked for, in bytes.
const maxChallenge = 64

// Identity is what one gateway has and no other server can: a secret, at these
// addresses.
type Identity struct {
	// Secret is known to the gateway and to whoever asks; it never goes over the
	// network.
	Secret string
	// Native and Web are the host:port that it serves the native protocol and
	// HTTP on.
	Native, Web string
}

// Ask returns nil when the gateway of this identity answers at Web, and an error
// when somebody else does or nobody. Whoever listens learns nothing that lets him
// in. The engine behind the gateway may be away.
func (id Identity) Ask(ctx context.Context) error {
	if id.Secret == "" {
		return errors.New("ask a gateway for its proof: there is no secret")
	}
	challenge := rand.Text()
	at := url.URL{Scheme: "http", Host: id.Web, Path: proofPath, RawQuery: url.Values{"challenge": {challenge}}.Encode()}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, at.String(), nil)
	if err != nil {
		return err
	}
	client := &http.Client{
		Transport:     &http.Transport{DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	res, err := client.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(res.Body, 1<<10))
	if err != nil {
		return fmt.Errorf("read the proof of the gateway at %s: %w", id.Web, err)
	}
	if !hmac.Equal(answer, []byte(id.proof(challenge))) {
		return fmt.Errorf("the server at %s is not the gateway looked for (%s)", id.Web, res.Status)
	}
	return nil
}

// proof is HMAC-SHA256 (RFC 2104) of the challenge. The addresses are part of it:
// a server that passes the challenge on to the gateway gets the proof of another.
func (id Identity) proof(challenge string) string {
	mac := hmac.New(sha256.New, []byte(id.Secret))
	fmt.Fprintf(mac, "tapwatch gateway\n%s\n%s\n%s", id.Native, id.Web, challenge)
	return hex.EncodeToString(mac.Sum(nil))
}

// prove answers the challenge of Identity.Ask.
func (g *Gateway) prove(w http.ResponseWriter, r *http.Request) {
	challenge := r.URL.Query().Get("challenge")
	if challenge == "" || len(challenge) > maxChallenge {
		http.Error(w, fmt.Sprintf("a challenge has 1 to %d bytes", maxChallenge), http.StatusBadRequest)
		return
	}
	id := Identity{Secret: g.policy.Secret, Native: g.native.Addr().String(), Web: g.web.Addr().String()}
	_, _ = io.WriteString(w, id.proof(challenge)) // an error means that the client has gone
}
