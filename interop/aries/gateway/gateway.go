// Package gateway hands a credential to a wallet of the Aries family: a DIDComm
// agent that invites one wallet, offers it one credential by issue-credential 2.0
// (Aries RFC 0453), and ends when the wallet has said that it has it.
package gateway

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/hyperledger/aries-framework-go/component/storageutil/mem"
	"github.com/hyperledger/aries-framework-go/pkg/client/didexchange"
	"github.com/hyperledger/aries-framework-go/pkg/client/issuecredential"
	"github.com/hyperledger/aries-framework-go/pkg/didcomm/common/service"
	"github.com/hyperledger/aries-framework-go/pkg/didcomm/protocol/decorator"
	protocol "github.com/hyperledger/aries-framework-go/pkg/didcomm/protocol/issuecredential"
	"github.com/hyperledger/aries-framework-go/pkg/didcomm/transport"
	arieshttp "github.com/hyperledger/aries-framework-go/pkg/didcomm/transport/http"
	"github.com/hyperledger/aries-framework-go/pkg/framework/aries"
	ariescontext "github.com/hyperledger/aries-framework-go/pkg/framework/context"
	"github.com/hyperledger/aries-framework-go/pkg/kms"
	"github.com/hyperledger/aries-framework-go/pkg/store/connection"
)

// Message types of issue-credential 2.0, and the format of the attachment.
const (
	offerType  = protocol.OfferCredentialMsgTypeV2
	issueType  = protocol.IssueCredentialMsgTypeV2
	attachment = "credential"
	// format names what is attached: a VC-JWT of version 1.1.
	format    = "aidpass/jwt-vc@v1.1"
	mediaType = "application/jwt"
)

// Gateway is an agent that listens. Its keys and its memory are of this run alone.
type Gateway struct {
	framework *aries.Aries
	agent     *ariescontext.Provider
	exchange  *didexchange.Client
	issue     *issuecredential.Client
	connected chan string
	requests  chan service.DIDCommAction
	states    chan service.StateMsg
}

// Open starts the agent: it listens at listen (host:port), and wallets reach it at
// public, an http or https address that leads there. It sends nothing to addresses
// inside a network, whatever a wallet says of where it is, nor to any without https.
func Open(listen, public string) (g *Gateway, err error) {
	out, err := arieshttp.NewOutbound(arieshttp.WithOutboundHTTPClient(outbound(public)))
	if err != nil {
		return nil, fmt.Errorf("gateway: %w", err)
	}
	in, err := listenAt(listen, public)
	if err != nil {
		return nil, err
	}
	framework, err := aries.New(aries.WithInboundTransport(in), aries.WithOutboundTransports(out),
		aries.WithStoreProvider(mem.NewProvider()), aries.WithProtocolStateStoreProvider(mem.NewProvider()),
		aries.WithMediaTypeProfiles([]string{transport.MediaTypeDIDCommV2Profile, transport.MediaTypeAIP2RFC0587Profile}),
		aries.WithKeyType(kms.ECDSAP256TypeIEEEP1363), aries.WithKeyAgreementType(kms.NISTP256ECDHKWType))
	if err != nil {
		return nil, errors.Join(fmt.Errorf("gateway: start the agent: %w", err), in.Stop())
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, framework.Close())
		}
	}()
	g = &Gateway{framework: framework, connected: make(chan string, 1), requests: make(chan service.DIDCommAction, 1), states: make(chan service.StateMsg, 16)}
	if g.agent, err = framework.Context(); err != nil {
		return nil, err
	}
	if g.exchange, err = didexchange.New(g.agent); err != nil {
		return nil, err
	}
	if g.issue, err = issuecredential.New(g.agent); err != nil {
		return nil, err
	}
	exchanges := make(chan service.DIDCommAction)
	states := make(chan service.StateMsg, 16)
	if err := errors.Join(g.exchange.RegisterActionEvent(exchanges), g.exchange.RegisterMsgEvent(states),
		g.issue.RegisterActionEvent(g.requests), g.issue.RegisterMsgEvent(g.states)); err != nil {
		return nil, err
	}
	go g.meet(exchanges, states)
	return g, nil
}

// meet lets the first wallet in that answers the invitation, and no other.
func (g *Gateway) meet(asks <-chan service.DIDCommAction, states <-chan service.StateMsg) {
	first := true
	for {
		select {
		case a := <-asks:
			if !first {
				a.Stop(errors.New("this invitation was used"))
				continue
			}
			first = false
			a.Continue(nil)
		case s := <-states:
			event, ok := s.Properties.(didexchange.Event)
			if ok && s.Type == service.PostState && s.StateID == "completed" {
				select {
				case g.connected <- event.ConnectionID():
				default:
				}
			}
		}
	}
}

// Close stops the agent.
func (g *Gateway) Close() error { return g.framework.Close() }

// Invitation is what a wallet scans or opens: the gateway's address with the
// invitation behind it (RFC 0023). Whoever opens it first gets the credential, so it
// is shown to one person. label is the organisation's name.
func (g *Gateway) Invitation(label string) (string, error) {
	invitation, err := g.exchange.CreateInvitation(label)
	if err != nil {
		return "", fmt.Errorf("gateway: invitation: %w", err)
	}
	text, err := json.Marshal(invitation)
	if err != nil {
		return "", err
	}
	return invitation.ServiceEndpoint + "?c_i=" + base64.RawURLEncoding.EncodeToString(text), nil
}

// Give waits for a wallet, offers it the credential, a VC-JWT of version 1.1 such as
// Twin makes, and hands it over when asked. It returns when the wallet has confirmed
// it. comment says in one line what is offered.
func (g *Gateway) Give(ctx context.Context, credential, comment string) error {
	record, err := g.wallet(ctx)
	if err != nil {
		return err
	}
	thread, err := g.issue.SendOffer(&issuecredential.OfferCredential{
		Type: offerType, Comment: comment, Formats: []protocol.Format{{AttachID: attachment, Format: format}},
	}, record)
	if err != nil {
		return fmt.Errorf("gateway: offer: %w", err)
	}
	issued := &issuecredential.IssueCredential{
		Type: issueType, Comment: comment, Formats: []protocol.Format{{AttachID: attachment, Format: format}},
		Attachments: []decorator.GenericAttachment{{ID: attachment, MediaType: mediaType,
			Data: decorator.AttachmentData{Base64: base64.StdEncoding.EncodeToString([]byte(credential))}}},
	}
	asked := false
	for {
		select {
		case <-ctx.Done():
			return fmt.Errorf("gateway: the wallet was offered it, and %w", ctx.Err())
		case a := <-g.requests:
			id, err := a.Message.ThreadID()
			switch {
			case err != nil || id != thread || asked || a.Message.Type() != protocol.RequestCredentialMsgTypeV2:
				a.Stop(errors.New("nothing was offered in this exchange"))
			default:
				asked = true
				a.Continue(issuecredential.WithIssueCredential(issued))
			}
		case s := <-g.states:
			id, err := s.Msg.ThreadID()
			if err != nil || id != thread || s.Type != service.PostState {
				continue
			}
			switch s.StateID {
			case "done":
				return nil
			case "abandoning":
				return errors.New("gateway: the wallet refused it")
			}
		}
	}
}

// wallet waits until one has answered the invitation.
func (g *Gateway) wallet(ctx context.Context) (*connection.Record, error) {
	select {
	case <-ctx.Done():
		return nil, fmt.Errorf("gateway: no wallet has opened the invitation: %w", ctx.Err())
	case id := <-g.connected:
		c, err := g.exchange.GetConnection(id)
		if err != nil {
			return nil, fmt.Errorf("gateway: connection: %w", err)
		}
		return c.Record, nil
	}
}
