package openid

import (
	"bytes"
	"embed"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/labstack/echo/v5"

	"aidpass/internal/jose"
	"aidpass/internal/qrcode"
	"aidpass/issuer/offer"
	"aidpass/verifier/request"
	"aidpass/web/api"
)

//go:embed *.html words/*.json
var pageFiles embed.FS

// pages are the templates of pages for people, and their words by language.
type pages struct {
	all   *template.Template
	words map[string]map[string]string
}

func readPages() (*pages, error) {
	p := &pages{words: map[string]map[string]string{}}
	for _, lang := range api.Languages {
		b, err := pageFiles.ReadFile("words/" + lang + ".json")
		if err != nil {
			return nil, fmt.Errorf("openid: pages: %w", err)
		}
		var words map[string]string
		if err := json.Unmarshal(b, &words); err != nil {
			return nil, fmt.Errorf("openid: pages in %s: %w", lang, err)
		}
		p.words[lang] = words
	}
	var err error
	p.all, err = template.ParseFS(pageFiles, "*.html")
	return p, err
}

// show answers with a page in the reader's language. No cache keeps it: its address
// is as good as what it shows.
func (s *Server) show(c *echo.Context, status int, name string, fill func(lang string, data map[string]any) error) error {
	r := c.Request()
	lang := api.Language(c.QueryParam("lang"), r.Header.Get("Accept-Language"))
	direction := "ltr"
	if lang == "ar" {
		direction = "rtl"
	}
	data := map[string]any{"Lang": lang, "Dir": direction, "Words": s.pages.words[lang]}
	var names []map[string]string
	for _, l := range api.Languages {
		names = append(names, map[string]string{"Code": l, "Name": s.pages.words[l]["language"]})
	}
	data["Languages"] = names
	if err := fill(lang, data); err != nil {
		return err
	}
	var page bytes.Buffer
	if err := s.pages.all.ExecuteTemplate(&page, name, data); err != nil {
		return err
	}
	h := c.Response().Header()
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	return send(c, status, api.MediaType(".html"), page.Bytes())
}

// picture is the QR code for a link, as the address of an image.
func picture(link string) (template.URL, error) {
	png, err := qrcode.PNG(link, qrcode.M, 5)
	if err != nil {
		return "", err
	}
	return template.URL("data:image/png;base64," + base64.StdEncoding.EncodeToString(png)), nil
}

// offerPage shows an offer to its holder: a link for the wallet on this phone and a
// code for one on another. The transaction code is not on it, and is not asked for.
func (s *Server) offerPage(c *echo.Context) error {
	reference := c.Param("reference")
	body, err := s.Issuer.Object(c.Request().Context(), reference)
	var fault *offer.Error
	switch {
	case errors.As(err, &fault):
		return s.show(c, fault.Status, "offer.html", func(string, map[string]any) error { return nil })
	case err != nil:
		return s.Fault(err)
	}
	v, err := jose.ParseJSON(body, jsonLimits)
	if err != nil {
		return err
	}
	link := "openid-credential-offer://?credential_offer_uri=" + url.QueryEscape(s.Base+offer.OfferPath+reference)
	image, err := picture(link)
	if err != nil {
		return err
	}
	return s.show(c, http.StatusOK, "offer.html", func(lang string, data map[string]any) error {
		data["Link"], data["Picture"] = template.URL(link), image
		if s.house.Wallet != nil { // built in
			data["App"], data["Text"] = api.PathWallet, link
		}
		data["TxCode"] = v.Get("grants").Get(offer.GrantPreAuthorized).Get("tx_code").Kind != jose.Missing
		data["Offered"] = s.labels(v.Get("credential_configuration_ids").Items, lang)
		return nil
	})
}

// linkOf is what opens a wallet for a request, as a link and as a picture.
func linkOf(t *request.Transaction) (template.URL, template.URL, error) {
	link := t.Link(request.OpenLink)
	image, err := picture(link)
	return template.URL(link), image, err
}

// resultFault shows a fault of somebody who is not, or not any more, who asked.
func (s *Server) resultFault(c *echo.Context, err error) error {
	var fault *request.Error
	if !errors.As(err, &fault) {
		return s.Fault(err)
	}
	return s.show(c, fault.Status, "result.html", func(_ string, data map[string]any) error {
		data["Fault"] = true
		data["Other"], data["Elsewhere"] = fault.Reason == request.WrongSession, fault.Reason == request.OtherPage
		return nil
	})
}

// labels names the types of credential configurations, each once.
func (s *Server) labels(configurations []jose.Value, lang string) (list []string) {
	for _, id := range configurations {
		for _, t := range s.Types {
			if label := inLanguage(t.Labels, lang, t.Name); strings.HasPrefix(id.Text, t.Name+"_") && !slices.Contains(list, label) {
				list = append(list, label)
			}
		}
	}
	return list
}
