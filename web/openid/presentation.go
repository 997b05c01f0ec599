package openid

import (
	"context"
	"encoding/json"
	"html/template"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/labstack/echo/v5"

	"aidpass/internal/cose"
	"aidpass/internal/jose"
	"aidpass/verifier/request"
	"aidpass/words"
)

// Paths of requests, as request.Transaction writes them; handle and id come behind.
const (
	requestPath  = "/request/"
	responsePath = "/response/"
	resultPath   = "/result/"
)

// request answers with the signed request object, which has the wallet's nonce in it
// where the wallet posts one. What the wallet tells of itself is not looked at: what
// is asked for in which form is the organisation's policy.
//
// OpenID4VP 5.10.
func (s *Server) request(c *echo.Context) error {
	r := c.Request()
	nonce := ""
	if r.Method == http.MethodPost {
		f, err := readForm(c.Response(), r, maxForm)
		if err != nil {
			return s.refuse(c, err)
		}
		nonce = f["wallet_nonce"]
	}
	t, err := s.Verifier.Open(r.Context(), c.Param("handle"))
	if err != nil {
		return s.refuse(c, err)
	}
	if t.Client.Scheme == request.RedirectURI {
		return s.refuse(c, &request.Error{Code: "invalid_request", Status: http.StatusNotFound, Reason: request.Unknown})
	}
	key, err := cose.NewKey(s.Signer.Public())
	if err != nil {
		return err
	}
	prepared, err := t.Object(key, nonce)
	if err != nil {
		return s.refuse(c, err)
	}
	signature, err := cose.SignRaw(s.Signer, prepared.ToBeSigned())
	if err != nil {
		return err
	}
	object, err := prepared.Attach(signature)
	if err != nil {
		return err
	}
	return send(c, http.StatusOK, request.ObjectMediaType, object)
}

// response takes a wallet's answer, and tells it where to send its user, if anywhere.
//
// OpenID4VP 8.2, 8.3.1.
func (s *Server) response(c *echo.Context) error {
	r := c.Request()
	f, err := readForm(c.Response(), r, maxAnswer)
	if err != nil {
		return s.refuse(c, err)
	}
	values := make(map[string][]string, len(f))
	for name, value := range f {
		values[name] = []string{value}
	}
	var reply request.Reply
	err = s.house.Write(r.Context(), func(ctx context.Context) (err error) {
		reply, err = s.Verifier.Answer(ctx, c.Param("handle"), values)
		return err
	})
	if err != nil {
		return s.refuse(c, err)
	}
	body := jose.ObjectOf()
	if reply.RedirectURI != "" {
		body.Members = append(body.Members, jose.Member{Name: "redirect_uri", Value: jose.StringOf(reply.RedirectURI)})
	}
	return sendJSON(c, http.StatusOK, body.Append(nil))
}

// cookie holds the secret of the session that asked. A page elsewhere cannot have it
// sent, a wallet that sends its user back can. It is of the one page alone: a desk that
// asks all day must not come with all of them, and be refused for its size.
const cookie = "__Secure-aidpass"

// enter gives the browser that opens the address made for it the request's session,
// and goes on to the page, whose address says nothing that anybody could use.
func (s *Server) enter(c *echo.Context) error {
	id, session := c.Param("id"), c.Param("session")
	t, err := s.Verifier.Result(c.Request().Context(), id, session, "")
	if err != nil {
		return s.resultFault(c, err)
	}
	http.SetCookie(c.Response(), &http.Cookie{Name: cookie, Value: session, Path: s.path + resultPath + id, MaxAge: max(1, int(t.Ends.Sub(s.Now()).Seconds())),
		Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode})
	never(c.Response().Header())
	return c.Redirect(http.StatusSeeOther, s.path+resultPath+id)
}

// result is the page of who asked: the code to be scanned, then the answer.
func (s *Server) result(c *echo.Context) error {
	session := ""
	if held, err := c.Request().Cookie(cookie); err == nil {
		session = held.Value
	}
	t, err := s.Verifier.Result(c.Request().Context(), c.Param("id"), session, c.QueryParam("response_code"))
	if err != nil {
		return s.resultFault(c, err)
	}
	if t.Outcome == nil && s.Now().Before(t.Expires) {
		// No script on this page: the browser looks again by itself.
		c.Response().Header().Set("Refresh", "5")
	}
	return s.show(c, http.StatusOK, "result.html", func(lang string, data map[string]any) error {
		if code := c.QueryParam("response_code"); code != "" {
			data["More"] = template.URL(url.Values{"response_code": {code}}.Encode()) // in the links to other languages
		}
		return s.fillResult(t, lang, data)
	})
}

// fillResult gives the page of t its words.
func (s *Server) fillResult(t *request.Transaction, lang string, data map[string]any) (err error) {
	data["Purpose"] = t.Purpose[lang]
	if data["Purpose"] == "" {
		data["Purpose"] = t.Purpose["en"]
	}
	verdicts, _ := words.Language(lang)
	switch {
	case t.Outcome == nil && s.Now().Before(t.Expires):
		data["Link"], data["Picture"], err = linkOf(t)
		data["SameDevice"] = t.SameDevice
		return err
	case t.Outcome == nil:
		data["Over"] = true
		return nil
	}
	o := t.Outcome
	data["Status"] = string(t.Status)
	if t.Status != request.Denied {
		row := words.Of(words.Reason(o.Reason))
		if o.Word != "" {
			row.Word = o.Word
		}
		data["Word"], data["Shape"] = verdicts.Word(row.Word), row.Shape
		data["Sentence"], data["Todo"] = verdicts.Sentence(words.Reason(o.Reason)), verdicts.Todo(words.Reason(o.Reason))
	}
	var list []shown
	for _, p := range o.Credentials {
		if !p.LookedUp && p.Answer == words.Valid {
			data["NotLooked"] = true
		}
		list = append(list, s.shown(p, lang, verdicts))
	}
	data["Credentials"] = list
	return nil
}

// shown is one credential of an answer, in words.
type shown struct {
	Type, Issuer, Word string
	Claims             []claim
}

type claim struct{ Label, Value string }

func (s *Server) shown(p request.Presented, lang string, verdicts *words.Catalogue) shown {
	out := shown{Type: p.Type, Issuer: p.Issuer, Word: verdicts.Word(p.Word)}
	labels := map[string]string{}
	for _, t := range s.Types {
		if t.VCT != p.Type {
			continue
		}
		out.Type = inLanguage(t.Labels, lang, p.Type)
		for i := range t.Claims {
			labels[t.Claims[i].Name] = inLanguage(t.Claims[i].Labels, lang, t.Claims[i].Name)
		}
	}
	if v, err := jose.ParseJSON(p.Claims, jsonLimits); err == nil {
		out.Claims = leaves(nil, v, "", labels)
	}
	return out
}

// leaves are the values of v with their names, those of objects within it by their
// innermost name.
func leaves(list []claim, v jose.Value, name string, labels map[string]string) []claim {
	switch v.Kind {
	case jose.Object:
		for _, m := range v.Members {
			list = leaves(list, m.Value, m.Name, labels)
		}
		return list
	case jose.String, jose.Number, jose.Boolean:
		label := labels[name]
		if label == "" {
			label = name
		}
		return append(list, claim{label, v.Text})
	case jose.Array:
		for _, item := range v.Items {
			list = leaves(list, item, name, labels)
		}
	}
	return list
}

func inLanguage(texts map[string]string, lang, otherwise string) string {
	for _, tag := range []string{lang, "en"} {
		if texts[tag] != "" {
			return texts[tag]
		}
	}
	return otherwise
}

// longestWait is how long an answer is waited for in one go, less than proxies do.
const longestWait = 20 * time.Second

// resultJSON tells a program that asked how far its request has come: with the
// session's secret as its bearer token, and ?wait=SECONDS as soon as there is an answer.
func (s *Server) resultJSON(c *echo.Context) error {
	r := c.Request()
	wait := time.Duration(0)
	if text := c.QueryParam("wait"); text != "" {
		seconds, err := strconv.Atoi(text)
		if err != nil || seconds < 0 {
			return s.refuse(c, &request.Error{Code: "invalid_request", Status: http.StatusBadRequest, Reason: request.Malformed})
		}
		wait = min(time.Duration(seconds)*time.Second, longestWait)
	}
	ctx, cancel := context.WithTimeout(r.Context(), wait)
	defer cancel()
	tick := time.NewTicker(500 * time.Millisecond)
	defer tick.Stop()
	for {
		t, err := s.Verifier.Result(r.Context(), c.Param("id"), bearer(r), c.QueryParam("response_code"))
		if err != nil {
			return s.refuse(c, err)
		}
		if t.Outcome == nil && s.Now().Before(t.Expires) && ctx.Err() == nil {
			select {
			case <-ctx.Done():
			case <-tick.C:
			}
			continue
		}
		answer := resultAnswer{ID: t.ID, Status: string(t.Status), Expires: t.Expires, Outcome: t.Outcome}
		if t.Outcome == nil && !s.Now().Before(t.Expires) {
			answer.Status = "expired"
		}
		body, err := json.Marshal(answer)
		if err != nil {
			return err
		}
		return sendJSON(c, http.StatusOK, body)
	}
}

// resultAnswer is what a program is told.
type resultAnswer struct {
	ID      string           `json:"id"`
	Status  string           `json:"status"` // open, expired, shown, refused or denied
	Expires time.Time        `json:"expires"`
	Outcome *request.Outcome `json:"outcome"` // null: no answer yet
}
