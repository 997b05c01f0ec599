package gateway

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"time"

	"github.com/hyperledger/aries-framework-go/pkg/didcomm/transport"
	arieshttp "github.com/hyperledger/aries-framework-go/pkg/didcomm/transport/http"

	"aidpass/web/resolve"
)

// Bounds of messages either way, which the framework's own server and client have none of.
const (
	maxMessage = 256 << 10 // bytes of one that comes in, and of the answer to one that goes out
	maxHeader  = 16 << 10  // bytes
	messageFor = 10 * time.Second
)

// inbound is the way in.
type inbound struct {
	listener net.Listener
	server   *http.Server
	public   string
}

// listenAt takes the address at once, so that one in use is an error and no exit.
func listenAt(at, public string) (*inbound, error) {
	l, err := net.Listen("tcp", at)
	if err != nil {
		return nil, fmt.Errorf("gateway: %w", err)
	}
	return &inbound{listener: l, public: public}, nil
}

// Start, Stop and Endpoint are of transport.InboundTransport.
func (in *inbound) Start(p transport.Provider) error {
	h, err := arieshttp.NewInboundHandler(p)
	if err != nil {
		return err
	}
	in.server = &http.Server{Handler: http.MaxBytesHandler(h, maxMessage), ReadTimeout: messageFor, WriteTimeout: 2 * messageFor, IdleTimeout: messageFor, MaxHeaderBytes: maxHeader}
	go in.server.Serve(in.listener)
	return nil
}

func (in *inbound) Stop() error {
	err := in.listener.Close()
	if in.server != nil {
		err = in.server.Close()
	}
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

func (in *inbound) Endpoint() string { return in.public }

// outbound is the way out. A wallet says itself where its messages go, so that it is an
// https address out on the internet or nothing is sent. A gateway whose own address is
// this very machine talks to wallets on it.
func outbound(public string) *http.Client {
	here := false
	if u, err := url.Parse(public); err == nil {
		a, err := netip.ParseAddr(u.Hostname())
		here = u.Hostname() == "localhost" || err == nil && a.IsLoopback()
	}
	client := *resolve.New(resolve.Config{Development: here, Timeout: messageFor}).HTTP()
	client.Transport = short{client.Transport}
	return &client
}

// short cuts answers, which the framework reads to their end.
type short struct{ http.RoundTripper }

func (s short) RoundTrip(r *http.Request) (*http.Response, error) {
	res, err := s.RoundTripper.RoundTrip(r)
	if err == nil {
		res.Body = struct {
			io.Reader
			io.Closer
		}{io.LimitReader(res.Body, maxMessage), res.Body}
	}
	return res, err
}
