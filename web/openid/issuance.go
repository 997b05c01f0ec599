package openid

import (
	"bytes"
	"context"
	"net/http"

	"github.com/labstack/echo/v5"

	"aidpass/internal/jose"
	"aidpass/issuer/offer"
	"aidpass/web/api"
)

// offer answers with the offer that a link refers to. OpenID4VCI 4.1.3.
func (s *Server) offer(c *echo.Context) error {
	body, err := s.Issuer.Object(c.Request().Context(), c.Param("reference"))
	if err != nil {
		return s.refuse(c, err)
	}
	return sendJSON(c, http.StatusOK, body)
}

// token makes an access token of a code. Fields that are not known are passed over
// (RFC 6749 3.2).
func (s *Server) token(c *echo.Context) error {
	r := c.Request()
	f, err := readForm(c.Response(), r, maxForm)
	if err != nil {
		return s.refuse(c, err)
	}
	request := offer.TokenRequest{GrantType: f["grant_type"], Code: f["pre-authorized_code"], TxCode: f["tx_code"], ClientID: f["client_id"], Details: f["authorization_details"],
		AuthorizationCode: f["code"], CodeVerifier: f["code_verifier"], RedirectURI: f["redirect_uri"], From: api.Sender(r.RemoteAddr).String()}
	var token *offer.TokenResponse
	err = s.house.Write(r.Context(), func(ctx context.Context) (err error) {
		token, err = s.Issuer.Token(ctx, request)
		return err
	})
	if err != nil {
		return s.refuse(c, err)
	}
	return sendJSON(c, http.StatusOK, token.JSON())
}

// nonce gives something fresh to sign. It has no body that matters, and needs none.
func (s *Server) nonce(c *echo.Context) error {
	body, err := s.Issuer.Nonce()
	if err != nil {
		return s.refuse(c, err)
	}
	return sendJSON(c, http.StatusOK, body)
}

// credential hands credentials to a wallet. OpenID4VCI 8.
func (s *Server) credential(c *echo.Context) error { return s.hand(c, s.Issuer.Credential) }

// deferred hands out what was not ready. OpenID4VCI 9.
func (s *Server) deferred(c *echo.Context) error { return s.hand(c, s.Issuer.Deferred) }

// hand reads a request for credentials, encrypted or not, and sends the answer as
// the request wants it. How it is to be encrypted is settled before anything is issued.
func (s *Server) hand(c *echo.Context, issue func(ctx context.Context, token string, body []byte) (*offer.CredentialResponse, error)) error {
	r := c.Request()
	body, mediaType, err := readBody(c.Response(), r, maxJSON, jsonType, jwtType)
	if err != nil {
		return s.refuse(c, err)
	}
	if mediaType == jwtType {
		if s.Key == nil {
			return s.refuse(c, encryptionFault("requests are not encrypted here", nil))
		}
		if body, err = s.Key.Open(string(body), maxJSON); err != nil {
			return s.refuse(c, encryptionFault("the request cannot be decrypted: read the metadata again", err))
		}
	}
	to, err := recipientOf(body, mediaType == jwtType)
	if err != nil {
		return s.refuse(c, err)
	}
	var answer *offer.CredentialResponse
	err = s.house.Write(r.Context(), func(ctx context.Context) (err error) {
		answer, err = issue(ctx, bearer(r), body)
		return err
	})
	if err != nil {
		return s.refuse(c, err)
	}
	if to == nil {
		return sendJSON(c, answer.Status, answer.JSON())
	}
	sealed, err := to.Seal(answer.JSON())
	if err != nil {
		return err
	}
	return send(c, answer.Status, jwtType, sealed)
}

// recipientOf returns to whom the answer to a request is encrypted, nil for nobody.
// A wish that came in the open is refused: who could have changed the request would
// have put his own key into it (OpenID4VCI 8.2).
func recipientOf(body []byte, wasEncrypted bool) (*Recipient, error) {
	const name = "credential_response_encryption"
	// Most requests have no such wish, and are read once; an escape may hide its name.
	if !bytes.Contains(body, []byte(name)) && !bytes.Contains(body, []byte(`\u`)) {
		return nil, nil
	}
	v, err := jose.ParseJSON(body, jsonLimits)
	if err != nil {
		return nil, nil // for the issuer to say what is wrong with it
	}
	wish := v.Get(name)
	if wish.Kind == jose.Missing {
		return nil, nil
	}
	if !wasEncrypted {
		return nil, encryptionFault("an encrypted response is for encrypted requests", nil)
	}
	to, err := ReadRecipient(wish)
	if err != nil {
		return nil, encryptionFault("the response cannot be encrypted so", err)
	}
	return to, nil
}

func encryptionFault(description string, err error) error {
	return &offer.Error{Code: offer.InvalidEncryptionParameters, Description: description, Status: http.StatusBadRequest, Err: err}
}

// notification takes what a wallet says of the credentials it got. OpenID4VCI 11.
func (s *Server) notification(c *echo.Context) error {
	r := c.Request()
	body, _, err := readBody(c.Response(), r, maxForm, jsonType)
	if err != nil {
		return s.refuse(c, err)
	}
	err = s.house.Write(r.Context(), func(ctx context.Context) error { return s.Issuer.Notification(ctx, bearer(r), body) })
	if err != nil {
		return s.refuse(c, err)
	}
	never(c.Response().Header())
	return c.NoContent(http.StatusNoContent)
}
